/**
 * A replica's database through its life: migrated, locked, opened, watched, and looked into by tools while its service runs or
 * not. A replica is always a SQLite file, so what waits for nobody answers at once.
 */

import { existsSync } from "node:fs";
import { type AccessMode, explained } from "@stock-bazaar/sqlite/connection";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { sqliteFailure } from "@stock-bazaar/sqlite/failures";
import { watchFile } from "@stock-bazaar/sqlite/file-watch";
import { filesOf, isMissing } from "@stock-bazaar/sqlite/files";
import { orderFields } from "@stock-bazaar/sqlite/order-rows";
import { orderProblem } from "@stock-bazaar/sqlite/readable";
import { lockForService, lockIfFree } from "@stock-bazaar/sqlite/service-lock";
import type { Clock } from "@stock-bazaar/shared/clock";
import type { Order } from "@stock-bazaar/shared/domain";
import { type OrderDatabase, openOrderDatabase, orderFile } from "./database.ts";

/** Where a replica's file ends. */
export interface ReplicaEnd {
  readonly id: number;
  readonly file: string;
  /** Its last order; `undefined`: it is empty. */
  readonly last: Order | undefined;
  /** 0 for an empty one. */
  readonly lastId: number;
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

  /** An empty file is one that was never migrated. */
  get isMissing(): boolean {
    return isMissing(this.file);
  }

  /** An empty file exists. */
  get exists(): boolean {
    return existsSync(this.file);
  }

  /** Creates it if it is missing. Returns how many migrations were applied. */
  async migrate(): Promise<number> {
    return (await import("@stock-bazaar/sqlite/migrations")).migrateFile(this.file, "orders");
  }

  /** Throws a DatabaseError, with the command that mends it, unless the file is there and migrated. */
  open(mode: AccessMode = "write"): OrderDatabase {
    return openOrderDatabase(this.#dataDir, this.id, mode);
  }

  /** For its service. Throws a ConfigError if another process still holds it after a short wait. Returns what unlocks it. */
  lock(): () => void {
    return lockForService(this.file);
  }

  /** The same, but `undefined` if another process holds it. The file itself may be missing. */
  lockIfFree(): (() => void) | undefined {
    return lockIfFree(this.file);
  }

  /** It has just been opened. Calls `gone` once when it, or its lock, was deleted or replaced. Returns what ends the watch. */
  watch(clock: Clock, gone: (error: Error) => void): () => void {
    return watchFile(this.file, clock, gone);
  }

  /** Its last order, or why it can't be read. By hand, not by drizzle: services look at it when they start. */
  end(): ReplicaEnd | DatabaseError {
    const { id, file } = this;
    try {
      const replica = this.open("read");
      try {
        const last = replica.client
          .prepare<[], Order>(`SELECT ${orderFields} FROM orders ORDER BY id DESC LIMIT 1`)
          .get();
        return { id, file, last, lastId: last?.id ?? 0 };
      } finally {
        replica.close();
      }
    } catch (error) {
      if (error instanceof DatabaseError || sqliteFailure(error) !== "other") return explained(file, "orders", error);
      throw error;
    }
  }

  /** Why its orders can't all be read; `undefined`: they can. Reads all of it. */
  problem(): DatabaseError | undefined {
    return orderProblem("orders", this.file);
  }
}
