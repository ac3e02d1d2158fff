/**
 * Renews the mark of a replica's file that may have lost orders (`order-log/replica-mark.ts`), once the file holds them
 * again.
 *
 * Every order that the replica acknowledged before it started is in the ledger. So the file is whole again when it ends
 * at least where the ledger ended at any moment since. The leader's end wouldn't do: a leader that is deposed and doesn't
 * know it may end before an order that this replica has acknowledged.
 */

import type { CatalogApi } from "@stock-bazaar/shared/api";
import { type Clock, every } from "@stock-bazaar/shared/clock";
import type { OrderLog } from "@stock-bazaar/order-log/order-log";
import type { Logger } from "@stock-bazaar/process/log";

const firstMs = 10;
const checkMs = 100;

export interface MarkRenewalOptions {
  readonly mark: { readonly isWhole: boolean; caughtUp(): boolean };
  readonly catalog: Pick<CatalogApi, "register">;
  readonly log: Pick<OrderLog, "last" | "lastId">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Receives the error of a write: the disk can't be trusted any more. */
  readonly fatal: (error: unknown) => void;
}

/** Returns a function that ends the attempts. */
export function renewMark({ mark, catalog, log, clock, logger, fatal }: MarkRenewalOptions): () => void {
  if (mark.isWhole) return () => {};
  let head: number | undefined;
  let isCancelled = false;
  const cancel = every(clock, checkMs, tryOnce, { firstMs });
  async function tryOnce(): Promise<void> {
    head ??= await headOf(catalog, log);
    if (head === undefined || isCancelled || log.lastId < head) return;
    try {
      if (!mark.caughtUp()) return;
      logger.info({ lastId: log.lastId }, "this replica holds every acknowledged order");
      cancel();
    } catch (error) {
      fatal(error);
    }
  }
  return () => {
    isCancelled = true;
    cancel();
  };
}

/** The ledger's head; `undefined` if the catalog doesn't answer or refuses this replica. */
async function headOf(
  catalog: MarkRenewalOptions["catalog"],
  log: MarkRenewalOptions["log"],
): Promise<number | undefined> {
  try {
    return (await catalog.register(undefined, log.last)).head;
  } catch {
    return undefined;
  }
}
