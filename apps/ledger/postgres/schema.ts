/** Where the tables are in a database. A schema of their own can be moved aside as a whole when a ledger is replaced. */

export const schemaName = "bazaar";

/** Whether a database has a ledger: its register was made by the first migration. */
export const ledgerExists = {
  text: `SELECT to_regclass('${schemaName}.register') IS NOT NULL AS exists`,
} as const;
