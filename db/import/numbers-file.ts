/** The table of old and new numbers that an import with `--renumber` writes. Only this file keeps the old numbers. */

import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { prepareWhole } from "@stock-bazaar/sqlite/files";
import type { NumberedLine } from "./numbering.ts";

export function defaultNumbersFile(dataDir: string): string {
  return join(dataDir, "order-numbers.csv");
}

/** Writes the table, and creates its folder if needed. A line's `source` is an index into `files`. */
export function writeNumbers(file: string, orders: Iterable<NumberedLine>, files: readonly string[]): void {
  mkdirSync(dirname(file), { recursive: true });
  prepareWhole(file, numberTable(orders, files)).put();
}

function* numberTable(orders: Iterable<NumberedLine>, files: readonly string[]): Generator<string> {
  const fields = files.map((file) => `"${file.replaceAll('"', '""')}"`);
  let part = "old_number,new_number,file,line\n";
  for (const { number, id, source, line } of orders) {
    part += `${number},${id},${fields[source]},${line}\n`;
    if (part.length < 64 * 1024) continue;
    yield part;
    part = "";
  }
  yield part;
}
