/**
 * Checks that a run lost no trade: a rate is worth nothing if an acknowledged order is missing. It runs after each run
 * of the service that only traded, and compares the databases: the ledger must hold every trade that was answered with
 * 200, and every replica must hold exactly the ledger's orders.
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
  /** Can be more than `replies`: some trades are in flight when the load ends. */
  readonly ledgerRows: number;
  /** Ids of the replicas that don't hold exactly the ledger's orders. */
  readonly unequalReplicas: readonly number[];
}

export function isNothingLost({ replies, ledgerRows, unequalReplicas }: LossCheck): boolean {
  return replies <= ledgerRows && unequalReplicas.length === 0;
}

/** Reads the databases; the processes must have stopped. */
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

/** Whether the replica is a prefix of the ledger and just as long. */
function equalsLedger({ client }: CatalogDatabase, id: number, file: string): boolean {
  const original = { file: client.name, table: "main.ledger" };
  const copy = attachReplica(client, id, file);
  return (
    lastOrderId(client, copy.table) === lastOrderId(client, original.table) &&
    prefixDifferences(client, copy, original).length === 0
  );
}
