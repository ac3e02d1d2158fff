/** The faults that the dashboard can ask for. */

export const faultKinds = ["kill", "freeze"] as const;

/** `kill` ends the process at once, like `kill -9`. `freeze` suspends it for ten seconds. */
export type FaultKind = (typeof faultKinds)[number];
