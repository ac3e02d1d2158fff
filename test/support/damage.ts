import { closeSync, openSync, writeSync } from "node:fs";
import { connect } from "@stock-bazaar/sqlite/connection";

/** The position of the damaged page among those of its table. */
const places = {
  "at the start": () => 0,
  "in the middle": (pages: number) => Math.floor(pages / 2),
  "at the end": (pages: number) => pages - 1,
};

/** Overwrites one page of a table with many rows, as a failing disk might. The file must not be open. */
export function damageTable(file: string, table: string, place: keyof typeof places): void {
  const client = connect(file, "write");
  const pages = client
    .prepare<[string], { page: number; size: number }>(
      "SELECT pageno AS page, pgsize AS size FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path",
    )
    .all(table);
  client.close();
  const damaged = pages[places[place](pages.length)];
  if (!damaged) throw new Error(`${file} must have a table ${table} with rows`);
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, Buffer.alloc(damaged.size, 0xff), 0, damaged.size, (damaged.page - 1) * damaged.size);
  closeSync(descriptor);
}
