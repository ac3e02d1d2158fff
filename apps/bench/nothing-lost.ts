/**
 * A rate of trades is worth nothing if one of them is missing. After each run of the service with nothing but trades
 * the databases are asked: is every trade that was answered with 200 in the ledger, and do all replicas hold exactly
 * the ledger's orders?
 */

import { ledger } from "@stock-bazaar/ledger/sqlite/tables";
import { type CatalogDatabase, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { attachReplica, lastOrderId, prefixDifferences } from "@stock-bazaar/sqlite/order-differences";
import { queryCatalog } from "@stock-bazaar/ledger/sqlite/query";
import { count } from "drizzle-orm";

export interface LossCheck {
  /** Trades that were answered with 200. */
  readonly replies: number;
  /** May be more than the replies: some are on their way when the load ends. */
  readonly ledgerRows: number;
  /** Ids of the replicas that don't hold exactly what the ledger holds. */
  readonly unequalReplicas: readonly number[];
}

export function isNothingLost({ replies, ledgerRows, unequalReplicas }: LossCheck): boolean {
  return replies <= ledgerRows && unequalReplicas.length === 0;
}

/** The processes must have stopped, so that nothing changes any more. */
export function checkNothingLost(dataDir: string, replicaIds: readonly number[], replies: number): LossCheck {
  const catalog = openCatalogDatabase(dataDir, "read");
  try {
    const ledgerRows = queryCatalog(catalog).select({ rows: count() }).from(ledger).get()?.rows ?? 0;
    const unequalReplicas = replicaIds.filter((id) => !equalsLedger(catalog, id, orderFile(dataDir, id)));
    return { replies, ledgerRows, unequalReplicas };
  } finally {
    catalog.close();
  }
}

/** The copy is a prefix of the ledger, and as long. */
function equalsLedger({ client }: CatalogDatabase, id: number, file: string): boolean {
  const original = { file: client.name, table: "main.ledger" };
  const copy = attachReplica(client, id, file);
  return (
    lastOrderId(client, copy.table) === lastOrderId(client, original.table) &&
    prefixDifferences(client, copy, original).length === 0
  );
}
