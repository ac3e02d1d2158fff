/**
 * The file of a replica's database: migrated, locked, opened and watched by its service, and read by tools whether that
 * runs or not.
 *
 * A replica is always a SQLite file, so methods that wait for nothing are synchronous.
 */

import { existsSync } from "node:fs";
import { type AccessMode, explained, explaining, type Synchronous } from "@stock-bazaar/sqlite/connection";
import { isDamage, notedDamage, noteDamage } from "@stock-bazaar/sqlite/damage";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { sqliteFailure } from "@stock-bazaar/sqlite/failures";
import { watchFile } from "@stock-bazaar/sqlite/file-watch";
import { filesOf, isMissing } from "@stock-bazaar/sqlite/files";
import { requireDatabase } from "@stock-bazaar/sqlite/open";
import { orderFields } from "@stock-bazaar/sqlite/order-rows";
import { orderProblem } from "@stock-bazaar/sqlite/readable";
import { lockForService, lockIfFree } from "@stock-bazaar/sqlite/service-lock";
import type { Clock } from "@stock-bazaar/shared/clock";
import type { Order } from "@stock-bazaar/shared/domain";
import { currentBootId } from "@stock-bazaar/process/boot-id";
import { isNew, isWhole, lacking } from "../replica-mark.ts";
import { readMark, writeMark } from "./kept-mark.ts";
import { type OrderDatabase, openOrderDatabase, orderFile } from "./database.ts";

/** The end of a replica's file. */
export interface ReplicaEnd {
  readonly id: number;
  readonly file: string;
  /** The replica's last order; `undefined` if it is empty. */
  readonly last: Order | undefined;
  /** The id of `last`; 0 if it is empty. */
  readonly lastId: number;
  /** Whether the file holds every order that it ever acknowledged, and no power cut took some. */
  readonly isWhole: boolean;
  /** Whether no service has used the file yet. */
  readonly isNew: boolean;
}

export class ReplicaFile {
  readonly id: number;
  readonly file: string;
  readonly #dataDir: string;

  constructor(dataDir: string, id: number) {
    this.id = id;
    this.file = orderFile(dataDir, id);
    this.#dataDir = dataDir;
  }

  /** Every file that belongs to it, its lock included. */
  get files(): readonly string[] {
    return filesOf(this.file);
  }

  /** Whether the replica was never migrated: it has no file, or an empty one. */
  get isMissing(): boolean {
    return isMissing(this.file);
  }

  /** Whether there is a file, even an empty one. */
  get exists(): boolean {
    return existsSync(this.file);
  }

  /** Migrates the file, and creates it if it is missing. Returns how many migrations were applied. */
  async migrate(): Promise<number> {
    return (await import("@stock-bazaar/sqlite/migrations")).migrateFile(this.file, "orders");
  }

  /** Throws a DatabaseError that names the command to run, unless the file is there and migrated. */
  open(mode: AccessMode = "write", synchronous: Synchronous = "FULL"): OrderDatabase {
    return openOrderDatabase(this.#dataDir, this.id, mode, synchronous);
  }

  /**
   * Takes the lock of the replica's service, and returns a function that releases it. Throws a ConfigError if another
   * process still holds it after a short wait, and the DatabaseError of `open` if the file is missing.
   */
  lock(): () => void {
    requireDatabase("orders", this.file);
    return lockForService(this.file);
  }

  /** The same, but `undefined` if another process holds it. The file itself may be missing. */
  lockIfFree(): (() => void) | undefined {
    return lockIfFree(this.file);
  }

  /**
   * Watches the file, which was just opened. Calls `gone` once when it or its lock was deleted or replaced. Returns a
   * function that ends the watch.
   */
  watch(clock: Clock, gone: (error: Error) => void): () => void {
    return watchFile(this.file, clock, gone);
  }

  /** The last order and the mark, or the reason why they can't be read. Uses no drizzle, because services call it when they start. */
  end(): ReplicaEnd | DatabaseError {
    const { id, file } = this;
    try {
      const replica = this.open("read");
      try {
        const last = replica.client
          .prepare<[], Order>(`SELECT ${orderFields} FROM orders ORDER BY id DESC LIMIT 1`)
          .get();
        const mark = readMark(replica.client);
        return { id, file, last, lastId: last?.id ?? 0, isWhole: isWhole(mark, currentBootId()), isNew: isNew(mark) };
      } finally {
        replica.close();
      }
    } catch (error) {
      if (error instanceof DatabaseError || sqliteFailure(error) !== "other") return explained(file, "orders", error);
      throw error;
    }
  }

  /**
   * What is known to be damaged in the file; `undefined` if nothing is. A damaged page that no service has read yet isn't
   * noticed.
   */
  damage(): DatabaseError | undefined {
    const end = this.end();
    return isDamage(end) ? end : notedDamage("orders", this.file);
  }

  /** To be called with a failure of the file before the service ends: at its next start it checks the file if needed. */
  noteDamage(error: unknown): void {
    noteDamage(this.file, error);
  }

  /** Runs `action` on the file; its error becomes a DatabaseError that names the file. */
  naming<Result>(action: () => Result): Result {
    return explaining(this.file, "orders", action);
  }

  /**
   * Moves the damaged file aside and puts an empty one in its place, which counts as one that may lack orders. Returns the
   * new name of the damaged one. The caller must hold the lock.
   */
  async replaceDamaged(): Promise<string> {
    return (await import("./replace-damaged.ts")).replaceDamaged(this.#dataDir, this.id);
  }

  /**
   * Writes the replica, as it is at one moment, into a file of the same name in this folder, also while its service writes.
   * Marks the copy as one that may lack orders: the replica goes on and acknowledges others, and an old copy that looked
   * whole would let a catalog be rebuilt without them.
   */
  async copyFile(folder: string): Promise<void> {
    const { copyOnline } = await import("@stock-bazaar/sqlite/online-copy");
    await copyOnline("orders", this.file, orderFile(folder, this.id), (copy) => writeMark(copy, lacking));
  }

  /** The reason why not all orders can be read; `undefined` if they can. Reads the whole file. */
  problem(): DatabaseError | undefined {
    return orderProblem("orders", this.file);
  }
}
