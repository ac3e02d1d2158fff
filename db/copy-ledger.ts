/**
 * Moves a ledger into another store: from catalog.db to PostgreSQL, or back. The original stays as it is, under its name.
 * A copy that is killed leaves nothing begun.
 */

import { chosenLedgerStore, type LedgerConfig } from "@stock-bazaar/ledger/chosen-store";
import { type Compared, compareCopy, CopyError } from "@stock-bazaar/ledger/copy";
import type { LedgerStore, Unlock } from "@stock-bazaar/ledger/store";
import { makeFolderOf } from "@stock-bazaar/sqlite/files";
import { keepStocks } from "./kept-stocks.ts";
import { requireOneHistory } from "./recovery/history.ts";
import type { Databases } from "./recovery/replicas-here.ts";

export interface CopiedLedger extends Compared {
  readonly source: string;
  readonly copy: string;
  /** The new name of the unused ledger that was there; `undefined` if there was none. */
  readonly aside: string | undefined;
}

/**
 * Copies the ledger of `from`, whose catalog must be stopped, and compares every row. Throws a CopyError if a catalog runs
 * on either, if the source is missing or contradicts itself, or if the target was ever used; then nothing was changed.
 */
export async function copyLedger(from: Databases, to: LedgerConfig): Promise<CopiedLedger> {
  const [source, target] = [chosenLedgerStore(from), chosenLedgerStore(to)];
  if (source.name === target.name) throw new CopyError(`the copy of ${source.name} must be another ledger`);
  if (await source.isMissing()) throw new CopyError(`${source.name} is missing: there is nothing to copy`);
  // The lock of a file lies beside it.
  const [file] = target.files;
  if (file !== undefined) makeFolderOf(file);
  return whileLocked([source, target], async () => {
    await requireOneHistory(from);
    await requireSound(source);
    const copied = await source.read(async (view) => {
      let compared: Compared | undefined;
      const aside = await target.copyFrom(view, async (copy) => {
        compared = await compareCopy(view, copy);
      });
      if (!compared) throw new CopyError(`${target.name} must be compared before it is used`);
      return { ...compared, source: source.name, copy: target.name, aside };
    });
    await keepStocks(to);
    return copied;
  });
}

async function whileLocked<Result>(stores: readonly LedgerStore[], action: () => Promise<Result>): Promise<Result> {
  const unlocks: Unlock[] = [];
  try {
    for (const store of stores) {
      const unlock = await store.lockIfFree();
      if (!unlock) throw new CopyError(`${store.name} is used by a running service: stop the catalog first`);
      unlocks.push(unlock);
    }
    return await action();
  } finally {
    for (const unlock of unlocks) await unlock();
  }
}

/** The copy of a ledger that contradicts itself would be no better. */
async function requireSound(source: LedgerStore): Promise<void> {
  const [difference] = (await source.check([])).flatMap(({ differences }) => differences);
  if (difference !== undefined) throw new CopyError(`${difference}: a ledger must be sound before it is copied`);
}
