/**
 * Reads stocks from files that people and the earlier systems write: with quoted fields, a byte order mark, any line
 * ends, columns in any order, or a row for each column. Every value is checked before any is used, and every problem is
 * reported with its place: a price that was silently cut or rounded would be noticed only in the trades.
 */

import {
  isFolderName,
  type NewStock,
  stockNameLengthMax,
  stockVolumeMax,
  tradeQuantityMax,
} from "@stock-bazaar/shared/domain";
import { CsvError, parse } from "csv-parse/sync";
import { z } from "zod";
import { csvOptions, findColumns, firstLineOf } from "./csv.ts";

/** A stock with everything that its file contains. */
export interface StockOfFile extends NewStock {
  /** Units bought and sold so far; `undefined` if the file has no such column. */
  readonly volume: number | undefined;
  /** The stock's place in the file, like `my.csv, line 3`. */
  readonly place: string;
}

/** The message has one line for each problem. */
export class StockFileError extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "StockFileError";
  }
}

type Column = "name" | "price" | "quantity" | "volume";

const required = ["name", "price", "quantity"] as const;
const columnNames = {
  name: ["name", "stockname", "productname"],
  price: ["price"],
  quantity: ["quantity", "currvol"],
  volume: ["volume", "tradingvolume"],
};
/** The rows of a file that has one column per stock. */
const rowsOfColumns = ["name", "price", "quantity", "volume"] as const;
/** More problems than this are counted, not listed. */
const problemsShownMax = 10;
/** Values longer than this are cut in messages. */
const valueShownMax = 60;

const rowSchema = z.object({
  name: z
    .string()
    .refine(
      (name) =>
        name.length >= 1 &&
        name.length <= stockNameLengthMax &&
        name === name.trim() &&
        !/\p{Cc}/u.test(name) &&
        !isFolderName(name),
      `1 to ${stockNameLengthMax} characters without blanks around them and without control characters, not . or ..`,
    ),
  price: z
    .string()
    .regex(/^\d{1,9}(\.\d{1,2}0*)?$/, priceAllowed())
    .transform(toCents)
    .refine((cents) => cents > 0, priceAllowed()),
  quantity: wholeNumber(tradeQuantityMax),
  volume: wholeNumber(stockVolumeMax).optional(),
});

/** Throws a StockFileError that names every wrong value; `file` is its name in messages. */
export function parseStocks(content: Uint8Array, file: string): NewStock[] {
  return parseStockFile(content, file).map(({ name, priceCents, quantity }) => ({ name, priceCents, quantity }));
}

/** Like `parseStocks`, with each stock's volume and its place in the file. */
export function parseStockFile(content: Uint8Array, file: string): StockOfFile[] {
  const stocks: StockOfFile[] = [];
  const problems: string[] = [];
  const placeOfName = new Map<string, string>();
  for (const entry of readEntries(parseCsv(content, file), file)) {
    if (typeof entry === "string") {
      problems.push(entry);
      continue;
    }
    const { values, placeOf } = entry;
    const row = rowSchema.safeParse(values);
    for (const issue of row.error?.issues ?? []) {
      const column = issue.path[0] as Column;
      problems.push(`${file}, ${placeOf(column)}: must be ${issue.message} (got ${shown(values[column])})`);
    }
    const name = values.name ?? "";
    const firstPlace = placeOfName.get(name);
    if (firstPlace !== undefined) {
      problems.push(
        `${file}, ${placeOf("name")}: names must differ (got ${shown(name)}, which ${firstPlace} has already)`,
      );
    }
    placeOfName.set(name, firstPlace ?? entry.place);
    if (!row.success) continue;
    const { price, quantity, volume } = row.data;
    stocks.push({ name, priceCents: price, quantity, volume, place: `${file}, ${entry.place}` });
  }
  if (problems.length > problemsShownMax) {
    const hidden = problems.length - problemsShownMax;
    problems.splice(problemsShownMax, hidden, `${file}: and ${hidden} more problems`);
  }
  if (problems.length === 0 && stocks.length === 0)
    problems.push(`${file}: must have at least one stock (got only a first line)`);
  if (problems.length > 0) throw new StockFileError(problems);
  return stocks;
}

/** The text of a file that `parseStocks` can read. */
export function formatStocks(stocks: readonly NewStock[]): string {
  const rows = stocks.map(({ name, priceCents, quantity }) => {
    const price = `${Math.floor(priceCents / 100)}.${String(priceCents % 100).padStart(2, "0")}`;
    return `"${name.replaceAll('"', '""')}",${price},${quantity}\n`;
  });
  return `${required.join()}\n${rows.join("")}`;
}

/** The unparsed values of one stock, and their places. */
interface Entry {
  readonly values: Readonly<Partial<Record<Column, string>>>;
  readonly place: string;
  readonly placeOf: (column: Column) => string;
}

/** Yields an entry for each stock, or a text for each problem. Throws a StockFileError if the rows hold no stocks. */
function* readEntries(rows: readonly CsvRow[], file: string): Generator<Entry | string> {
  const header = rows[0]?.fields ?? [];
  const columns = findColumns<Column>(header, columnNames, required);
  if (columns !== undefined) {
    yield* entriesOfRows(rows.slice(1), header, columns, file);
    return;
  }
  const columnsOfStocks = withoutIndex(rows);
  if (!areColumnsOfStocks(columnsOfStocks)) {
    const found = rows.length === 0 ? "nothing" : shown(header.join());
    throw new StockFileError([
      `${file}, line 1: must name the columns ${required.join()}, and may name volume; or four lines must hold all names, prices, quantities and volumes (got ${found})`,
    ]);
  }
  yield* entriesOfColumns(columnsOfStocks);
}

function* entriesOfRows(
  rows: readonly CsvRow[],
  header: readonly string[],
  columns: ReadonlyMap<Column, number>,
  file: string,
): Generator<Entry | string> {
  for (const { line, fields } of rows) {
    const place = `line ${line}`;
    if (fields.length !== header.length) {
      yield `${file}, ${place}: must have ${header.length} columns, ${header.join()} (got ${fields.length})`;
      continue;
    }
    const values = Object.fromEntries([...columns].map(([column, index]) => [column, fields[index] ?? ""]));
    yield { values, place, placeOf: (column) => `${place}, column ${header[columns.get(column) ?? 0]}` };
  }
}

function* entriesOfColumns(rows: readonly CsvRow[]): Generator<Entry> {
  for (const index of rows[0]?.fields.keys() ?? []) {
    const place = `column ${index + 1}`;
    const values = Object.fromEntries(rowsOfColumns.map((column, row) => [column, rows[row]?.fields[index] ?? ""]));
    yield { values, place, placeOf: (column) => `line ${rows[rowsOfColumns.indexOf(column)]?.line}, ${place}` };
  }
}

/** True for four rows of equal length: one of names and three of numbers. */
function areColumnsOfStocks(rows: readonly CsvRow[]): boolean {
  const [names, ...numbers] = rows;
  return (
    names !== undefined &&
    rows.length === rowsOfColumns.length &&
    numbers.every(
      ({ fields }) => fields.length === names.fields.length && fields.every((field) => /^-?\d+(\.\d+)?$/.test(field)),
    )
  );
}

/** Removes the column 0, 1, 2, … under an empty name, which pandas writes in front of a table. */
function withoutIndex(rows: readonly CsvRow[]): readonly CsvRow[] {
  const isIndexed = rows.every(({ fields }, row) => fields[0] === (row === 0 ? "" : String(row - 1)));
  return isIndexed ? rows.map(({ line, fields }) => ({ line, fields: fields.slice(1) })) : rows;
}

interface CsvRow {
  /** The line where it begins, counted from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

function parseCsv(content: Uint8Array, file: string): CsvRow[] {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    throw new StockFileError([`${file}: must be text in UTF-8`]);
  }
  const rows: CsvRow[] = [];
  try {
    parse(text, {
      ...csvOptions,
      onRecord(fields: string[], { lines }) {
        rows.push({ line: firstLineOf(fields, lines), fields });
        return null;
      },
    });
  } catch (error) {
    if (error instanceof CsvError) throw new StockFileError([`${file}: must be CSV (${error.message})`]);
    throw error;
  }
  return rows;
}

/** Converts "15.99" to 1599 by its digits: 15.99 * 100 is 1598.9999999999998. */
function toCents(price: string): number {
  const [whole = "", fraction = ""] = price.split(".");
  return Number(whole) * 100 + Number(fraction.slice(0, 2).padEnd(2, "0"));
}

function priceAllowed(): string {
  return "a number from 0.01 to 999999999.99 with at most two decimals";
}

/** Accepts `9026.0` too: pandas writes whole numbers like this in a column with decimals. */
function wholeNumber(max: number) {
  const allowed = `a whole number from 0 to ${max}`;
  return z
    .string()
    .regex(/^\d{1,16}(\.0+)?$/, allowed)
    .transform(Number)
    .refine((value) => value <= max, allowed);
}

function shown(value = ""): string {
  return JSON.stringify(value.length > valueShownMax ? `${value.slice(0, valueShownMax)}…` : value);
}
