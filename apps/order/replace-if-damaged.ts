/**
 * Replaces this replica's file if it is known to be damaged. The replica then fetches its orders again, as after the loss of
 * its file. That loses nothing as long as the ledger is there, so the catalog must answer first.
 */

import { adviceForUnreadable } from "@stock-bazaar/db/recovery/history";
import type { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import type { Logger } from "@stock-bazaar/process/log";
import type { CatalogApi } from "@stock-bazaar/shared/api";
import { type Clock, pause } from "@stock-bazaar/shared/clock";
import type { Register } from "@stock-bazaar/shared/domain";
import { BazaarError, SetupError } from "@stock-bazaar/shared/errors";

const askEveryMs = 250;

export interface ReplaceOptions {
  readonly file: Pick<ReplicaFile, "damage" | "replaceDamaged">;
  readonly catalog: Pick<CatalogApi, "register">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long to wait for the catalog. */
  readonly patienceMs: number;
}

/** Rejects if the file is damaged and must not be replaced. The message says what is wrong, and what to do. */
export async function replaceIfDamaged({ file, catalog, clock, logger, patienceMs }: ReplaceOptions): Promise<void> {
  const damage = file.damage();
  if (!damage) return;
  const endMs = clock.nowMs() + patienceMs;
  let register: Register | undefined;
  while (register === undefined) {
    try {
      register = await catalog.register();
    } catch (error) {
      const { message } = BazaarError.from(error);
      const text = `${damage.message}. Its service does that by itself when the catalog answers (${message})`;
      if (clock.nowMs() >= endMs) throw new BazaarError("UNAVAILABLE", text, { cause: damage });
      await pause(clock, askEveryMs);
    }
  }
  const { term, head } = register;
  if (term === 0 && head === 0) throw new SetupError(`the ledger is empty, but ${adviceForUnreadable(damage)}`);
  const aside = await file.replaceDamaged();
  const cause = damage.cause instanceof Error ? damage.cause.message : damage.problem;
  logger.warn(
    { aside },
    `${damage.file} was damaged (${cause}) and moved aside: this replica fetches its orders again`,
  );
}
