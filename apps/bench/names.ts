/** The names that the command line accepts, apart from the code that measures, so that `--help` doesn't load it. */

export const rowKinds = ["trades", "single", "lookups", "mixed"] as const;
export type RowKind = (typeof rowKinds)[number];

/** The systems that are compared by default. */
export const comparedSystems = ["service", "yardstick", "naive", "postgres"] as const;
/** All systems. `service-postgres` is the service with its ledger on PostgreSQL, `floor` the path of a trade without its rules. */
export const systemNames = [...comparedSystems, "service-postgres", "floor"] as const;
export type SystemName = (typeof systemNames)[number];

/** Experiments run instead of the rows, and measure what one rate doesn't show. */
export const experimentNames = ["kill", "freeze", "catalog-failover", "copies", "ledger", "catch-up", "soak"] as const;
export type ExperimentName = (typeof experimentNames)[number];

export const loadTools = ["wrk", "autocannon"] as const;
export type LoadTool = (typeof loadTools)[number];
