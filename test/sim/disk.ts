/**
 * Simulated disks. A write takes a while; if its process is killed before the write begins, nothing is stored.
 * The store is a real SQLite database in memory. A full disk is a limit on its pages.
 *
 * A commit is on the disk at once if its connection waits for that, which the disk asks SQLite; otherwise only a later sync
 * or checkpoint writes it. A power cut takes the rest.
 *
 * A sync may fail. The data then stays in the kernel's cache, where the next process reads it as if it were on the disk.
 * No later sync writes it. After a power cut the log has a hole at that place, and everything from there on is lost. Only
 * a checkpoint writes the data again.
 */

import type { Ledger } from "@stock-bazaar/ledger/ledger";
import type { SqliteClient } from "@stock-bazaar/sqlite/connection";
import { readMark } from "@stock-bazaar/order-log/sqlite/kept-mark";
import type { ReplicaMark } from "@stock-bazaar/order-log/replica-mark";
import type { OrderLog } from "@stock-bazaar/order-log/order-log";
import type { Random } from "@stock-bazaar/shared/random";
import type { Life } from "./process.ts";

const fsyncMs = 0.5;
/** The limit of a disk that isn't full: more pages than any run needs. */
const pagesMax = 1_000_000;

export class Disk {
  readonly #random: Random;
  readonly #client: () => SqliteClient;
  /** Average delay of a write beyond that of an ordinary fsync. */
  slowMs = 0;
  /** Whether the next sync reports an error. */
  failsNextSync = false;
  /** The database before the first commit that isn't on the disk; `undefined` if all are. */
  #onDisk: Buffer | undefined;

  constructor(random: Random, client: () => SqliteClient) {
    this.#random = random;
    this.#client = client;
  }

  /** The database that a power cut would leave; `undefined` if nothing would be lost. */
  get afterPowerCut(): Buffer | undefined {
    return this.#onDisk;
  }

  /** Everything was written and synced again, or the disk was replaced. */
  mend(): void {
    this.#onDisk = undefined;
  }

  /** Runs a write whose sync, if it waits for one, succeeds. */
  commit<Result>(write: () => Promise<Result>): Promise<Result> {
    if (!waitsForDisk(this.#client())) this.#onDisk ??= this.#client().serialize();
    return write();
  }

  /** If a sync is due to fail, runs `write`, lets its sync fail, and returns true. Otherwise returns false. */
  async failingSync(write: () => Promise<unknown>): Promise<boolean> {
    if (!this.failsNextSync) return false;
    this.failsNextSync = false;
    const image = this.#client().serialize();
    await write();
    this.#onDisk ??= image;
    return true;
  }

  fill(): void {
    // Free space within the existing pages must not suffice for a few more orders.
    this.#client().exec("VACUUM");
    this.#limitPages(Number(this.#client().pragma("page_count", { simple: true })));
  }

  makeRoom(): void {
    this.#limitPages(pagesMax);
  }

  /** Resolves when the write is done. Never settles if the process is killed before that. */
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

function waitsForDisk(client: SqliteClient): boolean {
  return Number(client.pragma("synchronous", { simple: true })) >= 2;
}

/** What a power cut would leave of a replica's file. */
interface Left {
  readonly lastId: number;
  readonly mark: ReplicaMark;
}

/** A replica's disk. Orders are only ever appended, so the last one that was synced tells what a power cut leaves. */
export class ReplicaDisk extends Disk {
  readonly #client: SqliteClient;
  readonly #lastId: () => number;
  #left: Left;

  constructor(random: Random, client: SqliteClient, lastId: () => number) {
    super(random, () => client);
    this.#client = client;
    this.#lastId = lastId;
    this.#left = this.#now();
    // `durably` sets FULL for its write, then sets it back: what was written by then is on the disk.
    const pragma = client.pragma.bind(client);
    client.pragma = (source, options) => {
      if (source.startsWith("synchronous = ") && waitsForDisk(client)) this.mend();
      return pragma(source, options);
    };
  }

  /** Everything was synced: by a checkpoint, or by a commit that waits for the disk. */
  override mend(): void {
    this.#left = this.#now();
  }

  override async commit<Result>(write: () => Promise<Result>): Promise<Result> {
    const result = await write();
    if (waitsForDisk(this.#client)) this.mend();
    return result;
  }

  /** Syncs what was committed before the call. Never settles if the process is killed before that. */
  sync(life: Life): Promise<void> {
    const now = this.#now();
    return this.write(life, async () => {
      if (now.lastId > this.#left.lastId) this.#left = now;
    });
  }

  /** Takes what isn't on the disk. The replica must not run. Returns the number of orders that were lost. */
  cutPower(): number {
    const { lastId, mark } = this.#left;
    const lost = this.#lastId() - lastId;
    this.#client.prepare("DELETE FROM orders WHERE id > ?").run(lastId);
    this.#client.prepare("UPDATE replica SET boot_id = ?, synced = ?").run(mark.bootId, mark.synced ? 1 : 0);
    return lost;
  }

  /** Replaces the file by a new one. */
  wipe(): void {
    this.#client.exec("DELETE FROM orders; UPDATE replica SET boot_id = 'new', synced = 0");
    this.mend();
  }

  #now(): Left {
    return { lastId: this.#lastId(), mark: readMark(this.#client) };
  }
}

/** The ledger as the catalog's process uses it. Calls `committed` at each commit, `broken` when a sync reports an error. */
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
        // The process has ended, so the write never returns.
        return new Promise<Result>(() => {});
      }
      try {
        return await disk.commit(work);
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

/** A replica's order log as its process uses it. */
export function logOnDisk(log: OrderLog, disk: Disk, life: Life): OrderLog {
  return {
    get last() {
      return log.last;
    },
    get lastId() {
      return log.lastId;
    },
    append: (orders) => disk.write(life, () => disk.commit(() => log.append(orders))),
    after: (afterId, limit) => log.after(afterId, limit),
    get: (id) => log.get(id),
    newest: (before, limit) => log.newest(before, limit),
    close: async () => {},
  };
}
