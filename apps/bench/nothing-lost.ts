/**
 * Checks that a run lost no trade: a rate is worth nothing if an acknowledged order is missing. It runs after each run
 * of the service that only traded, and compares the databases: the ledger must hold every trade that was answered with
 * 200, and every replica must hold exactly the ledger's orders.
 */

import { chosenLedgerStore, type LedgerConfig } from "@stock-bazaar/ledger/chosen-store";
import { orderPages } from "@stock-bazaar/ledger/order-pages";
import type { LedgerView } from "@stock-bazaar/ledger/store";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";

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

/** Reads the databases; the services must have stopped. */
export async function checkNothingLost(
  { dataDir, ledgerUrl }: LedgerConfig,
  replicaIds: readonly number[],
  replies: number,
): Promise<LossCheck> {
  const store = chosenLedgerStore({ dataDir, ledgerUrl });
  const { ledgerRows, lastId } = await store.read(async (view) => ({
    ledgerRows: await countOrders(view),
    lastId: await view.lastId(),
  }));
  const replicas = replicaIds.map((id) => new ReplicaFile(dataDir, id));
  const checks = await store.check(replicas);
  const prefixes = new Set(checks.flatMap(({ file, outcome }) => (outcome === "kept" ? [file] : [])));
  const unequal = replicas.filter((replica) => {
    const end = replica.end();
    return end instanceof DatabaseError || end.lastId !== lastId || !prefixes.has(replica.file);
  });
  return { replies, ledgerRows, unequalReplicas: unequal.map(({ id }) => id) };
}

async function countOrders(view: LedgerView): Promise<number> {
  let count = 0;
  for await (const page of orderPages(view)) count += page.length;
  return count;
}
