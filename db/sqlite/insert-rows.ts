/** Inserts rows by the dozen: a call into SQLite takes longer than the row it brings. */

import type { SqliteClient } from "./connection.ts";

type Value = string | number;

/** Rows in one call. Twice as many gain nothing more. */
const rowsAtOnceMax = 16;

/** `columns` in the order of each row's values. To be called inside a transaction. */
export function prepareInsert(
  client: SqliteClient,
  table: string,
  columns: readonly string[],
): (rows: readonly (readonly Value[])[]) => void {
  const row = `(${columns.map(() => "?").join(", ")})`;
  // One for each number of rows, so that what is left of a batch is one call too.
  const statements = Array.from({ length: rowsAtOnceMax }, (_, index) =>
    client.prepare<Value[]>(
      `INSERT INTO ${table} (${columns.join(", ")}) VALUES ${Array.from({ length: index + 1 }, () => row).join(", ")}`,
    ),
  );
  return (rows) => {
    for (let start = 0; start < rows.length; start += rowsAtOnceMax) {
      const part = rows.slice(start, start + rowsAtOnceMax);
      statements[part.length - 1]?.run(...part.flat());
    }
  };
}
