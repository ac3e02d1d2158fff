/** Keeps the mark of a replica's file true while its service uses it (replica-mark.ts). */

import { durably, type SqliteClient } from "@stock-bazaar/sqlite/connection";
import { sqliteFailure } from "@stock-bazaar/sqlite/failures";
import type { OrderDatabase } from "./database.ts";
import { isWhole, lacking, type ReplicaMark } from "../replica-mark.ts";

/** How long the end of a service may wait for another process's lock: nothing is served any more. */
const endPatienceMs = 500;

export interface KeptMarkOptions {
  /** The machine's; "" if unknown. */
  readonly bootId: string;
  /** Whether every commit waits for the disk. */
  readonly waitsForDisk: boolean;
}

export class KeptMark {
  readonly #client: SqliteClient;
  readonly #bootId: string;
  /** The mark of a whole file in use. */
  readonly #inUse: ReplicaMark;
  #isWhole: boolean;

  /**
   * Writes the mark of a file in use. Must be called before the first order is appended: with the mark of the last
   * clean end, a power cut would leave a file that lacks orders and looks whole.
   */
  constructor({ client }: OrderDatabase, { bootId, waitsForDisk }: KeptMarkOptions) {
    this.#client = client;
    this.#bootId = bootId;
    this.#inUse = { bootId, synced: waitsForDisk };
    this.#isWhole = isWhole(readMark(client), bootId);
    writeMark(client, this.#isWhole ? this.#inUse : lacking);
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /**
   * To be called when the file holds every order that the ledger had at some moment after this replica's start. Returns
   * false if the mark can't be written now.
   */
  caughtUp(): boolean {
    this.#isWhole ||= unlessBusy(() => writeMark(this.#client, this.#inUse));
    return this.#isWhole;
  }

  /** To be called when nothing will be appended any more. If the mark can't be written, the end isn't a clean one. */
  ended(): void {
    if (!this.#isWhole) return;
    this.#client.pragma(`busy_timeout = ${endPatienceMs}`);
    unlessBusy(() => writeMark(this.#client, { bootId: this.#bootId, synced: true }));
  }
}

export function readMark(client: SqliteClient): ReplicaMark {
  const row = client
    .prepare<[], { bootId: string; synced: number }>("SELECT boot_id AS bootId, synced FROM replica")
    .get();
  return row ? { bootId: row.bootId, synced: row.synced === 1 } : lacking;
}

/** The mark, and every order before it, is on the disk when this returns. */
export function writeMark(client: SqliteClient, { bootId, synced }: ReplicaMark): void {
  // The unique index allows one row, so this replaces it.
  const write = client.prepare<[string, number]>("INSERT OR REPLACE INTO replica (boot_id, synced) VALUES (?, ?)");
  durably(client, () => void write.run(bootId, synced ? 1 : 0));
}

/** Returns false if the file is locked or its disk is full. */
function unlessBusy(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    if (sqliteFailure(error) === "passing") return false;
    throw error;
  }
}
