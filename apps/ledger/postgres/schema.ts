/** What a database is asked about itself. */

/** Where the tables are. A schema of their own can be moved aside as a whole when a ledger is replaced. */

export const schemaName = "bazaar";

/** Whether a database has a ledger: its register was made by the first migration. */
export const ledgerExists = {
  text: `SELECT to_regclass('${schemaName}.register') IS NOT NULL AS exists`,
} as const;

/** The first digits of the file that the server writes its log to. */
const timeline = "('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint";
export const currentTimeline = { text: `SELECT ${timeline} AS now` };
export const bothTimelines = { text: `SELECT timeline AS before, ${timeline} AS now FROM register` };
