/** A promise that was broken, told so that a person can go and look. */

export type Harm = "lost" | "doubled" | "stale" | "other";

export interface Violation {
  /** I1–I8 of ARCHITECTURE.md; "-": the campaign itself was kept from its work. */
  readonly promise: "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I8" | "-";
  readonly harm: Harm;
  readonly text: string;
}
