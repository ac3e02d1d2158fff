/**
 * Disks: every write takes a while, and a process that is killed meanwhile has not written. What is stored is a real
 * SQLite database in memory, and so is its being full: a limit on its pages.
 *
 * A sync may fail. What was to be synced is in the kernel's cache, where the next process reads it as if it were on the disk;
 * no later sync writes it, and after a power cut the log has a hole where it should be: all from there on is lost. Only a
 * checkpoint writes it anew.
 */

import type { Ledger } from "@stock-bazaar/ledger/ledger";
import type { SqliteClient } from "@stock-bazaar/sqlite/connection";
import type { OrderLog } from "@stock-bazaar/order-log/order-log";
import type { Random } from "@stock-bazaar/shared/random";
import type { Life } from "./process.ts";

const fsyncMs = 0.5;
/** More pages than any run needs. */
const pagesMax = 1_000_000;

export class Disk {
  readonly #random: Random;
  readonly #client: () => SqliteClient;
  /** On average, on top of an ordinary fsync. */
  slowMs = 0;
  /** The next sync reports an error. */
  failsNextSync = false;
  /** The database as it was before the first sync that failed, if none has healed that since. */
  #beforeHole: Buffer | undefined;

  constructor(random: Random, client: () => SqliteClient) {
    this.#random = random;
    this.#client = client;
  }

  /** What a power cut leaves; `undefined`: all that there is. */
  get afterPowerCut(): Buffer | undefined {
    return this.#beforeHole;
  }

  /** Everything is written and synced anew, or it is another disk. */
  mend(): void {
    this.#beforeHole = undefined;
  }

  /** `write` commits; then its sync fails, if that is due. True: it did. */
  async failingSync(write: () => Promise<unknown>): Promise<boolean> {
    if (!this.failsNextSync) return false;
    this.failsNextSync = false;
    const image = this.#client().serialize();
    await write();
    this.#beforeHole ??= image;
    return true;
  }

  fill(): void {
    // Room in the pages that are there already must not be enough for a few orders more.
    this.#client().exec("VACUUM");
    this.#limitPages(Number(this.#client().pragma("page_count", { simple: true })));
  }

  makeRoom(): void {
    this.#limitPages(pagesMax);
  }

  /** Resolves when the write has been done; never, if the process is killed before it has its answer. */
  write<Result>(life: Life, write: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#later(life, () => {
        write().then(
          (result) => this.#later(life, () => resolve(result)),
          (error: unknown) => this.#later(life, () => reject(error)),
        );
      });
    });
  }

  #later(life: Life, action: () => void): void {
    const delayMs = this.#random.exponential(fsyncMs) + (this.slowMs > 0 ? this.#random.exponential(this.slowMs) : 0);
    life.afterWorldMs(delayMs, action);
  }

  #limitPages(pages: number): void {
    this.#client().pragma(`max_page_count = ${pages}`);
  }
}

/**
 * The ledger as the catalog's process sees it. `committed` is called in the moment of each commit, `broken` when a sync
 * reports an error.
 */
export function ledgerOnDisk(
  ledger: Ledger,
  disk: Disk,
  life: Life,
  { committed, broken }: { committed: () => void; broken: (error: Error) => void },
): Ledger {
  const write = <Result>(work: () => Promise<Result>) =>
    disk.write(life, async () => {
      if (await disk.failingSync(() => work().catch(() => {}))) {
        broken(new Error("a sync failed"));
        // The process has ended: nobody hears of it any more.
        return new Promise<Result>(() => {});
      }
      try {
        return await work();
      } finally {
        committed();
      }
    });
  return {
    async checkpoint() {
      disk.mend();
      return ledger.checkpoint();
    },
    apply: (batch) => write(() => ledger.apply(batch)),
    restock: (batch) => write(() => ledger.restock(batch)),
    acquire: (request) => write(() => ledger.acquire(request)),
    forgetRejections: (upTo, limit) => write(() => ledger.forgetRejections(upTo, limit)),
    tryWrite: () => write(() => ledger.tryWrite()),
    leases: () => ledger.leases(),
    setLeases: (leases) => write(() => ledger.setLeases(leases)),
    lastRejection: () => ledger.lastRejection(),
    stocks: (names) => ledger.stocks(names),
    stocksFrom: (request) => ledger.stocksFrom(request),
    ordersAfter: (afterId, limit) => ledger.ordersAfter(afterId, limit),
    register: () => ledger.register(),
    // The database outlives the process.
    close: async () => {},
  };
}

/** A replica's log as its process sees it. */
export function logOnDisk(log: OrderLog, disk: Disk, life: Life): OrderLog {
  return {
    get last() {
      return log.last;
    },
    get lastId() {
      return log.lastId;
    },
    append: (orders) => disk.write(life, () => log.append(orders)),
    after: (afterId, limit) => log.after(afterId, limit),
    get: (id) => log.get(id),
    newest: (before, limit) => log.newest(before, limit),
    close: async () => {},
  };
}
