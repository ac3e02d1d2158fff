/** A broken promise, described so that a person can find the cause. */

export type Harm = "lost" | "doubled" | "stale" | "other";

export interface Violation {
  /** I1–I8 of ARCHITECTURE.md; "-" if the campaign itself couldn't run the round. */
  readonly promise: "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I8" | "-";
  readonly harm: Harm;
  readonly text: string;
}
