/** Where the ledgers of tests are: on PostgreSQL with BAZAAR_TEST_LEDGER=postgres, else in files. */

import { takePostgresDatabase } from "./postgres.ts";

export const isOnPostgres = process.env.BAZAAR_TEST_LEDGER === "postgres";

export interface TestedLedger {
  /** The variables of services that use it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly giveBack: () => Promise<void>;
}

/** An empty ledger, until it is given back. */
export async function takeLedger(): Promise<TestedLedger> {
  if (!isOnPostgres) return { environment: {}, giveBack: async () => {} };
  const { url, giveBack } = await takePostgresDatabase();
  return { environment: { LEDGER_URL: url }, giveBack };
}
