/** The faults that the dashboard can ask for. */

export const faultKinds = ["kill", "freeze"] as const;

/** `kill`: at once, as with `kill -9`. `freeze`: the replica stays and does nothing, then goes on by itself. */
export type FaultKind = (typeof faultKinds)[number];
