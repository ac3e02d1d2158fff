/** The part of `sqlite3` that the documents use, for a machine without it: `sqlite3 [-box] FILE SQL…`. */

import { Database } from "bun:sqlite";

const words = process.argv.slice(2);
const isBox = words[0] === "-box";
if (isBox) words.shift();
const [file = "", ...statements] = words;

const database = new Database(file, { readwrite: true, create: false });
for (const sql of statements) {
  const statement = database.query<Record<string, unknown>, []>(sql);
  const rows = statement.values().map((row) => row.map((value) => (value === null ? "" : String(value))));
  if (rows.length === 0) continue;
  process.stdout.write(
    isBox ? box([statement.columnNames, ...rows]) : `${rows.map((row) => row.join("|")).join("\n")}\n`,
  );
}
database.close();

function box([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const rule = (left: string, middle: string, right: string) =>
    `${left}${widths.map((width) => "─".repeat(width + 2)).join(middle)}${right}\n`;
  const line = (cells: readonly string[]) =>
    `│ ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" │ ")} │\n`;
  // Column names are centered.
  const names = head.map((name, column) => {
    const room = (widths[column] ?? 0) - name.length;
    return `${" ".repeat(Math.floor(room / 2))}${name}${" ".repeat(Math.ceil(room / 2))}`;
  });
  return `${rule("┌", "┬", "┐")}${line(names)}${rule("├", "┼", "┤")}${rows.map(line).join("")}${rule("└", "┴", "┘")}`;
}
