/**
 * A rate of trades is worth nothing if one of them is missing. After each run of the service with nothing but trades
 * the databases are asked: is every trade that was answered with 200 in the ledger, and do all replicas hold exactly
 * the ledger's orders?
 */

import { openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";

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
  const { client } = catalog;
  try {
    const count = (query: string) => client.prepare<[], { rows: number }>(query).get()?.rows ?? 0;
    const ledgerRows = count("SELECT COUNT(*) AS rows FROM ledger");
    const unequalReplicas = replicaIds.filter((id) => {
      client.prepare("ATTACH ? AS replica").run(orderFile(dataDir, id));
      const orders = count("SELECT COUNT(*) AS rows FROM replica.orders");
      const same = count(`
        SELECT COUNT(*) AS rows FROM ledger JOIN replica.orders AS copy USING (id)
        WHERE (ledger.key, ledger.name, ledger.type, ledger.quantity, ledger.price_cents, ledger.term, ledger.created_at)
            = (copy.key, copy.name, copy.type, copy.quantity, copy.price_cents, copy.term, copy.created_at)`);
      client.exec("DETACH replica");
      return orders !== ledgerRows || same !== ledgerRows;
    });
    return { replies, ledgerRows, unequalReplicas };
  } finally {
    catalog.close();
  }
}
