/**
 * Disks: every write takes a while, and a process that is killed meanwhile has not written. What is stored is a real
 * SQLite database in memory, and so is its being full: a limit on its pages.
 */

import type { Ledger } from "@stock-bazaar/catalog/ledger";
import type { SqliteClient } from "@stock-bazaar/db/connection";
import type { OrderLog } from "@stock-bazaar/order/order-log";
import type { Random } from "@stock-bazaar/shared/random";
import type { Life } from "./process.ts";

const fsyncMs = 0.5;
/** More pages than any run needs. */
const pagesMax = 1_000_000;

export class Disk {
  readonly #random: Random;
  readonly #client: SqliteClient;
  /** On average, on top of an ordinary fsync. */
  slowMs = 0;

  constructor(random: Random, client: SqliteClient) {
    this.#random = random;
    this.#client = client;
  }

  fill(): void {
    // Room in the pages that are there already must not be enough for a few orders more.
    this.#client.exec("VACUUM");
    this.#limitPages(Number(this.#client.pragma("page_count", { simple: true })));
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
    life.clock.after(delayMs, action);
  }

  #limitPages(pages: number): void {
    this.#client.pragma(`max_page_count = ${pages}`);
  }
}

/** The ledger as the catalog's process sees it. `committed` is called in the moment of each commit. */
export function ledgerOnDisk(ledger: Ledger, disk: Disk, life: Life, committed: () => void): Ledger {
  const write = <Result>(work: () => Promise<Result>) =>
    disk.write(life, async () => {
      try {
        return await work();
      } finally {
        committed();
      }
    });
  return {
    apply: (batch) => write(() => ledger.apply(batch)),
    restock: (batch) => write(() => ledger.restock(batch)),
    acquire: (request) => write(() => ledger.acquire(request)),
    forgetRejections: (upTo, limit) => write(() => ledger.forgetRejections(upTo, limit)),
    lastRejection: () => ledger.lastRejection(),
    stocks: (names) => ledger.stocks(names),
    allStocks: () => ledger.allStocks(),
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
    append: (orders) => disk.write(life, () => log.append(orders)),
    after: (afterId, limit) => log.after(afterId, limit),
    get: (id) => log.get(id),
    newest: (before, limit) => log.newest(before, limit),
    close: async () => {},
  };
}
