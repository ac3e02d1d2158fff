/** Inserts several rows per call: a call into SQLite takes longer than the row that it inserts. */

import type { SqliteClient } from "./connection.ts";

type Value = string | number;

/** Rows in one call. Twice as many are no faster. */
const rowsAtOnceMax = 16;

/** `columns` in the order of each row's values. The returned function must be called inside a transaction. */
export function prepareInsert(
  client: SqliteClient,
  table: string,
  columns: readonly string[],
): (rows: readonly (readonly Value[])[]) => void {
  const row = `(${columns.map(() => "?").join(", ")})`;
  // One statement for each number of rows, so that the rest of a batch is one call, too.
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
