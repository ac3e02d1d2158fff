/**
 * Lines of order logs on the disk, sorted by their numbers: millions of them need no memory. A SQLite file of its own,
 * gone when it is closed.
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
/** Its place is what the file holds in place of the word. */
const types: readonly OrderType[] = ["buy", "sell", "restock"];

export const stagingPrefix = "importing-";

export class Staging {
  readonly #parent: string;
  readonly #client: SqliteClient;
  readonly #insert: (rows: readonly (readonly number[])[]) => void;

  /** Makes its file in a new folder inside this one. */
  constructor(parent: string) {
    this.#parent = parent;
    const folder = mkdtempSync(join(parent, stagingPrefix));
    this.#client = connect(join(folder, "lines.db"), "write");
    // A failure throws the file away: it needs neither a journal nor a sync.
    this.#client.pragma("journal_mode = OFF");
    this.#client.pragma("synchronous = OFF");
    this.#client.exec(
      `CREATE TABLE lines (${columns.map((column) => `${column} INTEGER NOT NULL`).join()},
         PRIMARY KEY (number, source, line)) STRICT, WITHOUT ROWID`,
    );
    // SQLite looks only at the first write of a transaction whether the file still has its name. This one never ends.
    this.#client.exec("BEGIN; INSERT INTO lines VALUES (0, 0, 0, 0, 0, 0); DELETE FROM lines");
    // From here on the file has none: it goes with the process, however that ends.
    rmSync(folder, { recursive: true });
    this.#insert = prepareInsert(this.#client, "lines", columns);
  }

  /** Throws an ImportError if the disk can't take them. */
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
      throw new ImportError(`${this.#parent} can't hold the lines of the files: ${reason}`, { cause: error });
    }
  }

  /** By their numbers; those with one number by file and line. */
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
