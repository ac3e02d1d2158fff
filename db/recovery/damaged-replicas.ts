/** Replaces the damaged files of replicas before the services start. Each replica then fetches its orders again. */

import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { SetupError } from "@stock-bazaar/shared/errors";
import { adviceForUnreadable } from "./history.ts";
import { type Databases, replicasNamed } from "./replicas-here.ts";

interface Log {
  readonly warn: (figures: object, message: string) => void;
}

/**
 * Changes nothing without a ledger to fetch the orders from. Throws a SetupError if the ledger is empty: then a damaged file
 * may hold the only copy of its orders.
 */
export async function replaceDamagedReplicas(databases: Databases, logger: Log): Promise<void> {
  const damaged = replicasNamed(databases).flatMap((replica) => {
    const damage = replica.isMissing ? undefined : replica.damage();
    return damage ? [{ replica, damage }] : [];
  });
  const store = chosenLedgerStore(databases);
  if (damaged.length === 0 || (await store.isMissing())) return;
  await store.requireUsable();
  await store.migrate();
  const headId = await store.read((view) => view.lastId());
  for (const { replica, damage } of damaged) {
    if (headId === 0) throw new SetupError(`${store.name} is empty, but ${adviceForUnreadable(damage)}`);
    // Its service runs: it does the same.
    const unlock = replica.lockIfFree();
    if (!unlock) continue;
    try {
      const aside = await replica.replaceDamaged();
      logger.warn({ aside }, `${replica.file} was damaged and moved aside: the replica fetches its orders again`);
    } finally {
      unlock();
    }
  }
}
