/**
 * Sorts the lines of order logs by number on the disk, so millions of them need no memory. The lines are in a temporary
 * SQLite file that is deleted when it is closed.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { OrderType } from "@stock-bazaar/shared/domain";
import { connect, type SqliteClient } from "@stock-bazaar/sqlite/connection";
import { prepareInsert } from "@stock-bazaar/sqlite/insert-rows";
import { sqliteFailure } from "@stock-bazaar/sqlite/failures";
import { ImportError } from "./import-error.ts";
import type { StagedLine } from "./numbering.ts";

const columns = ["number", "source", "line", "stock", "type", "quantity"] as const;
/** The file stores a type as its index in this list. */
const types: readonly OrderType[] = ["buy", "sell", "restock"];

export const stagingPrefix = "importing-";

export class Staging {
  readonly #parent: string;
  readonly #client: SqliteClient;
  readonly #insert: (rows: readonly (readonly number[])[]) => void;

  /** Creates the file in a new folder inside `parent`. */
  constructor(parent: string) {
    this.#parent = parent;
    const folder = mkdtempSync(join(parent, stagingPrefix));
    this.#client = connect(join(folder, "lines.db"), "write");
    // A failure deletes the file, so it needs neither a journal nor a sync.
    this.#client.pragma("journal_mode = OFF");
    this.#client.pragma("synchronous = OFF");
    this.#client.exec(
      `CREATE TABLE lines (${columns.map((column) => `${column} INTEGER NOT NULL`).join()},
         PRIMARY KEY (number, source, line)) STRICT, WITHOUT ROWID`,
    );
    // SQLite checks only at the first write of a transaction that the file still has its name, so this one never ends.
    this.#client.exec("BEGIN; INSERT INTO lines VALUES (0, 0, 0, 0, 0, 0); DELETE FROM lines");
    // The file has no name from here on, so the system deletes it when the process ends, however it ends.
    rmSync(folder, { recursive: true });
    this.#insert = prepareInsert(this.#client, "lines", columns);
  }

  /** Adds lines. Throws an ImportError if they can't be written. */
  add(lines: readonly StagedLine[]): void {
    try {
      this.#insert(
        lines.map(({ number, source, line, stock, type, quantity }) => [
          number,
          source,
          line,
          stock,
          types.indexOf(type),
          quantity,
        ]),
      );
    } catch (error) {
      if (sqliteFailure(error) === "other") throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new ImportError(`the lines of the order files can't be written to ${this.#parent}: ${reason}`, {
        cause: error,
      });
    }
  }

  /** All lines, sorted by number, then file, then line. */
  *lines(): Generator<StagedLine> {
    const rows = this.#client
      .prepare<[], Omit<StagedLine, "type"> & { type: number }>(
        `SELECT ${columns.join()} FROM lines ORDER BY number, source, line`,
      )
      .iterate();
    for (const row of rows) yield { ...row, type: types[row.type] ?? "buy" };
  }

  close(): void {
    this.#client.close();
  }
}
