/**
 * Checks the promises I1 to I3 with the replicas as their services tell of them. Services and catalog may run: each replica
 * is compared up to where it ended before the ledger was read, and an order is in the ledger before any replica has it.
 */

import { type Check, checked, unread } from "@stock-bazaar/ledger/check";
import { chosenLedgerStore, type LedgerConfig } from "@stock-bazaar/ledger/chosen-store";
import { ordersOf, type OrderSource, prefixDifference } from "@stock-bazaar/ledger/compare";
import type { LedgerStore } from "@stock-bazaar/ledger/store";
import { advice } from "@stock-bazaar/process/advice";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { askServices, type ReplicaService, ReplicaServiceError, type ServedReplica } from "./replica-services.ts";
import { mayHaveLost } from "./verify.ts";

/** Runs all checks. A ledger that can't be read, or a service that doesn't answer, gives an `unread` check. */
export async function verifyServices(config: LedgerConfig, services: readonly ReplicaService[]): Promise<Check[]> {
  const replicas = await askServices(services);
  const store = chosenLedgerStore(config);
  try {
    await requireLedger(store, replicas);
    const checks = (await store.check([])).filter(({ promise }) => promise !== "I3");
    for (const replica of replicas) checks.push(await checkReplica(replica, ordersOf(store)));
    return checks;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return [
      unread("I1", store.name, error.message),
      ...replicas.map((replica) =>
        isUnread(replica)
          ? unreadReplica(replica)
          : unread("I3", replica.name, `${replica.name} has nothing to be compared with`),
      ),
    ];
  }
}

async function requireLedger(store: LedgerStore, replicas: readonly (ServedReplica | ReplicaServiceError)[]) {
  if (!(await store.isMissing())) return;
  const holder = replicas.find((replica) => !isUnread(replica) && replica.lastId > 0);
  if (holder === undefined || isUnread(holder)) return;
  const text = `is missing, but ${holder.name} holds ${holder.lastId} orders: ${advice.rebuildFromServices}`;
  throw new DatabaseError("missing", store.name, text);
}

/** I3. */
async function checkReplica(replica: ServedReplica | ReplicaServiceError, ledger: OrderSource): Promise<Check> {
  if (isUnread(replica)) return unreadReplica(replica);
  const { name, lastId, isWhole } = replica;
  const look = async () => {
    const difference = await prefixDifference(replica, lastId, ledger);
    const differences = difference === undefined ? [] : [difference];
    return { what: `${lastId} orders, as in the ledger row for row`, differences };
  };
  const check = await checked("I3", name, look, (error) => (error instanceof Error ? error.message : String(error)));
  return isWhole ? check : { ...check, note: mayHaveLost };
}

function unreadReplica(replica: ReplicaServiceError): Check {
  return unread("I3", replica.service, `${replica.message}: ${advice.isReplicaRunning}`);
}

function isUnread(replica: ServedReplica | ReplicaServiceError): replica is ReplicaServiceError {
  return replica instanceof ReplicaServiceError;
}
