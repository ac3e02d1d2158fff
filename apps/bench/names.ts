/** What may be measured, and on what: for a command line that only has to know what may be asked for. */

export const rowKinds = ["trades", "single", "lookups", "mixed"] as const;
export type RowKind = (typeof rowKinds)[number];

/** What is compared unless somebody asks for something else. */
export const comparedSystems = ["service", "yardstick", "naive", "postgres"] as const;
/** With the way of a trade without its rules. */
export const systemNames = [...comparedSystems, "floor"] as const;
export type SystemName = (typeof systemNames)[number];

/** Instead of rows: what one rate doesn't tell. */
export const experimentNames = ["kill", "freeze", "copies", "ledger", "soak"] as const;
export type ExperimentName = (typeof experimentNames)[number];

export const loadTools = ["wrk", "autocannon"] as const;
export type LoadTool = (typeof loadTools)[number];
