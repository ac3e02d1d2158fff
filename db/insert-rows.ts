/** Inserts rows by the dozen: a call into SQLite takes longer than the row it brings. */

import type { SqliteClient } from "./connection.ts";

type Value = string | number;

/** Rows in one call. Twice as many gain nothing more. */
const rowsAtOnce = 16;

/** `columns` in the order of each row's values. To be called inside a transaction. */
export function prepareInsert(
  client: SqliteClient,
  table: string,
  columns: readonly string[],
): (rows: readonly (readonly Value[])[]) => void {
  const row = `(${columns.map(() => "?").join(", ")})`;
  const prepare = (rows: number) =>
    client.prepare<Value[]>(
      `INSERT INTO ${table} (${columns.join(", ")}) VALUES ${Array.from({ length: rows }, () => row).join(", ")}`,
    );
  const [one, many] = [prepare(1), prepare(rowsAtOnce)];
  return (rows) => {
    let start = 0;
    for (; start + rowsAtOnce <= rows.length; start += rowsAtOnce)
      many.run(...rows.slice(start, start + rowsAtOnce).flat());
    for (; start < rows.length; start += 1) one.run(...(rows[start] ?? []));
  };
}
