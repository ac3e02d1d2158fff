/** The kinds of client runs: lookups alone; lookups and trades; these and a check of every order. */

export const runTypes = ["lookup", "session", "session-check"] as const;

export type RunType = (typeof runTypes)[number];
