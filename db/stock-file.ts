/**
 * Reads stocks from a CSV file as people write them: quoted fields, a byte order mark, either kind of line end.
 * Every row is checked before any is used, and every problem is told with its place: a price that was silently cut
 * or rounded would only be noticed in the trades.
 */

import { isFolderName, stockNameLengthMax, tradeQuantityMax } from "@stock-bazaar/shared/domain";
import { CsvError, parse } from "csv-parse/sync";
import { z } from "zod";

export interface NewStock {
  readonly name: string;
  readonly priceCents: number;
  readonly quantity: number;
}

/** The message has one line for each problem. */
export class StockFileError extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "StockFileError";
  }
}

const columns = ["name", "price", "quantity"] as const;
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
      `1 to ${stockNameLengthMax} characters, no blanks around it and no control characters, not . and not ..`,
    ),
  price: z
    .string()
    .regex(/^\d{1,9}(\.\d{1,2})?$/, priceAllowed())
    .transform(toCents)
    .refine((cents) => cents > 0, priceAllowed()),
  quantity: z
    .string()
    .regex(/^\d{1,10}$/, quantityAllowed())
    .transform(Number)
    .refine((quantity) => quantity <= tradeQuantityMax, quantityAllowed()),
});

/** Throws a StockFileError that names every wrong value; `file` is its name in messages. */
export function parseStocks(content: Uint8Array, file: string): NewStock[] {
  const [header, ...rows] = parseCsv(content, file);
  if (header?.fields.join() !== columns.join()) {
    const found = header === undefined ? "nothing" : shown(header.fields.join());
    throw new StockFileError([`${file}, line 1: ${found}: the first line has to be ${columns.join()}`]);
  }

  const stocks: NewStock[] = [];
  const problems: string[] = [];
  const lineOfName = new Map<string, number>();
  for (const { line, fields } of rows) {
    if (fields.length !== columns.length) {
      problems.push(
        `${file}, line ${line}: ${fields.length} columns: allowed are ${columns.length} (${columns.join()})`,
      );
      continue;
    }
    const [name = "", price, quantity] = fields;
    const row = rowSchema.safeParse({ name, price, quantity });
    for (const issue of row.error?.issues ?? []) {
      const column = columns.findIndex((candidate) => candidate === issue.path[0]);
      problems.push(
        `${file}, line ${line}, column ${columns[column]}: ${shown(fields[column])}: allowed is ${issue.message}`,
      );
    }
    const firstLine = lineOfName.get(name);
    if (firstLine !== undefined) {
      problems.push(
        `${file}, line ${line}, column name: ${shown(name)}: line ${firstLine} has it already, allowed is each name once`,
      );
    }
    lineOfName.set(name, firstLine ?? line);
    if (row.success) stocks.push({ name, priceCents: row.data.price, quantity: row.data.quantity });
  }
  if (problems.length > problemsShownMax) {
    const hidden = problems.length - problemsShownMax;
    problems.splice(problemsShownMax, hidden, `${file}: and ${hidden} more problems`);
  }
  if (problems.length === 0 && stocks.length === 0) problems.push(`${file}: has no stocks, only a first line`);
  if (problems.length > 0) throw new StockFileError(problems);
  return stocks;
}

/** What `parseStocks` reads back. */
export function formatStocks(stocks: readonly NewStock[]): string {
  const rows = stocks.map(({ name, priceCents, quantity }) => {
    const price = `${Math.floor(priceCents / 100)}.${String(priceCents % 100).padStart(2, "0")}`;
    return `"${name.replaceAll('"', '""')}",${price},${quantity}\n`;
  });
  return `${columns.join()}\n${rows.join("")}`;
}

interface CsvRow {
  /** Where it begins, counted from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

function parseCsv(content: Uint8Array, file: string): CsvRow[] {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    throw new StockFileError([`${file}: is not text in UTF-8`]);
  }
  const rows: CsvRow[] = [];
  try {
    parse(text, {
      bom: true,
      record_delimiter: ["\r\n", "\n", "\r"],
      relax_column_count: true,
      skip_empty_lines: true,
      onRecord(fields: string[], { lines }) {
        // `lines` is where the record ends; a quoted field may hold line ends of its own.
        const inside = fields.join("").match(/\r\n|\r|\n/g)?.length ?? 0;
        rows.push({ line: lines - inside, fields });
        return null;
      },
    });
  } catch (error) {
    if (error instanceof CsvError) throw new StockFileError([`${file}: is not CSV: ${error.message}`]);
    throw error;
  }
  return rows;
}

/** "15.99" → 1599, by its digits: 15.99 * 100 is 1598.9999999999998. */
function toCents(price: string): number {
  const [whole = "", fraction = ""] = price.split(".");
  return Number(whole) * 100 + Number(fraction.padEnd(2, "0"));
}

function priceAllowed(): string {
  return "0.01 to 999999999.99, with at most two decimals";
}

function quantityAllowed(): string {
  return `a whole number from 0 to ${tradeQuantityMax}`;
}

function shown(value = ""): string {
  return JSON.stringify(value.length > valueShownMax ? `${value.slice(0, valueShownMax)}…` : value);
}
