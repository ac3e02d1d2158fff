/** What clients can be asked to do: lookups alone; with trades; with trades and the check of every order. */

export const runTypes = ["lookup", "session", "session-check"] as const;

export type RunType = (typeof runTypes)[number];
