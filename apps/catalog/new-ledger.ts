/**
 * A ledger that never had a leader may begin only when no replica holds an order. Otherwise it is the wrong one: another
 * database, an empty file in place of a lost one. It would reuse the numbers of acknowledged orders, at the latest when a
 * replica leads that is empty too.
 *
 * A ledger that had a leader isn't asked about here: replicas and front-ends that have seen more make it refuse
 * everything (`whole-ledger.ts`).
 */

import { advice } from "@stock-bazaar/process/advice";
import type { Logger } from "@stock-bazaar/process/log";
import { type Clock, pause } from "@stock-bazaar/shared/clock";
import type { Register } from "@stock-bazaar/shared/domain";
import { BazaarError, SetupError } from "@stock-bazaar/shared/errors";

const retryMs = 250;

export interface AskedReplica {
  /** Its name in messages, like `replica 2 at order-2:6001`. */
  readonly name: string;
  /** Whether the ledger can't begin without its answer. If false, its file on this machine has told already. */
  readonly mustAnswer: boolean;
  /** The id of its last order, 0 if it holds none. Rejects with a BazaarError if it doesn't answer. */
  lastId(): Promise<number>;
}

export interface NewLedgerOptions {
  /** The ledger's name in messages. */
  readonly name: string;
  readonly replicas: readonly AskedReplica[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts the wait. */
  readonly stopping: AbortSignal;
}

export function isNewLedger({ term, head }: Pick<Register, "term" | "head">): boolean {
  return term === 0 && head === 0;
}

/**
 * Resolves when every replica has told that it holds no order. Waits for those that must answer. Rejects with a SetupError
 * if one holds orders, and with UNAVAILABLE when `stopping` aborts.
 */
export async function untilNoReplicaHasOrders(options: NewLedgerOptions): Promise<void> {
  await Promise.all(options.replicas.map((replica) => untilKnownAsEmpty(replica, options)));
}

async function untilKnownAsEmpty(
  replica: AskedReplica,
  { name, clock, logger, stopping }: Omit<NewLedgerOptions, "replicas">,
): Promise<void> {
  for (let isNamed = false; ; isNamed = true) {
    const lastId = await replica.lastId().catch((error: unknown) => BazaarError.from(error));
    if (lastId === 0) return;
    if (typeof lastId === "number")
      throw new SetupError(`${name} is empty, but ${replica.name} holds ${lastId} orders: ${advice.findLedger}`);
    if (!replica.mustAnswer) return;
    if (!isNamed) {
      const text = `${name} is empty: it begins when ${replica.name} has told that it holds no order`;
      logger.warn(`${text} (${lastId.message})`);
    }
    await pause(clock, retryMs);
    if (stopping.aborted) throw new BazaarError("UNAVAILABLE", `stopped while it waited for ${replica.name}`);
  }
}
