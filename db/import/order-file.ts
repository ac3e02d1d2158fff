/**
 * Reads files of orders from the earlier systems and from `bazaar export`. The content decides the format: CSV with a
 * header, JSON objects, or the text lines of a transaction log. A file is read as a stream, so memory use doesn't grow
 * with its size.
 */

import { createReadStream } from "node:fs";
import { Readable, pipeline } from "node:stream";
import { type OrderType, tradeQuantityMax } from "@stock-bazaar/shared/domain";
import { CsvError, parse } from "csv-parse";
import { csvOptions, findColumns, firstLineOf } from "../csv.ts";
import { ImportError } from "./import-error.ts";

export interface OrderLine {
  /** The line in its file where it begins, counted from 1. */
  readonly line: number;
  /** The order's number in the file; it may be 0 there. */
  readonly number: number;
  readonly name: string;
  readonly type: OrderType;
  readonly quantity: number;
}

/** A line that isn't a valid order. `problem` is what must be and what was got. */
export interface WrongLine {
  readonly line: number;
  readonly problem: string;
}

type Column = "number" | "name" | "type" | "quantity";
type Values = Readonly<Partial<Record<Column, string>>>;

const required = ["number", "name", "quantity"] as const;
const columnNames = {
  number: ["number", "ordernumber", "transactionnumber"],
  name: ["name", "stockname", "productname"],
  type: ["type", "ordertype"],
  quantity: ["quantity", "tradequantity", "volumetraded"],
  // Further columns of an export. An import ignores them: it takes prices from the stocks and makes new keys, terms and
  // times.
  price: ["price"],
  key: ["key"],
  term: ["term"],
  createdAt: ["createdat"],
};

/** `1176 - Stockname: GameStart Quantity: 1 Order: sell` */
const logLine = /^\s*(\S+)\s*-\s*Stockname:\s*(.+?)\s*Quantity:\s*(\S+)\s*Order:\s*(\S+)\s*$/i;
/** Longer than any order: a file with a longer line isn't a file of orders. */
const lineLengthMax = 100_000;
/** Values longer than this are cut in messages. */
const valueShownMax = 80;

/** Yields the lines in batches. Throws an ImportError if the file can't be read or isn't a file of orders. */
export async function* readOrderFile(file: string): AsyncGenerator<readonly (OrderLine | WrongLine)[]> {
  const text = readText(file);
  let head = "";
  while (!head.trimStart().includes("\n") && head.length < lineLengthMax) {
    const { value, done } = await text.next();
    if (done) break;
    head += value;
  }
  const firstLine = head.trimStart().split(/\r\n|\n|\r/, 1)[0] ?? "";
  // A replica of an earlier system that never wrote an order leaves an empty log.
  if (firstLine === "") return;
  const whole = prepend(head, text);
  if (firstLine.startsWith("{")) yield* readLines(whole, file, parseJsonLine);
  else if (logLine.test(firstLine)) yield* readLines(whole, file, parseLogLine);
  else yield* readCsv(whole, file);
}

async function* prepend(head: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield head;
  yield* rest;
}

async function* readText(file: string): AsyncGenerator<string> {
  // It also strips a byte order mark.
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) {
      yield decoder.decode(chunk as Uint8Array, { stream: true });
    }
    yield decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) throw new ImportError(`${file}: must be text in UTF-8`, { cause: error });
    const reason = error instanceof Error ? error.message : String(error);
    throw new ImportError(`${file}: can't be read: ${reason}`, { cause: error });
  }
}

async function* readLines(
  text: AsyncIterable<string>,
  file: string,
  parseLine: (text: string) => Values | string,
): AsyncGenerator<readonly (OrderLine | WrongLine)[]> {
  let line = 0;
  const orderAt = (text: string): (OrderLine | WrongLine)[] => {
    line += 1;
    if (text.trim() === "") return [];
    const values = parseLine(text);
    return [typeof values === "string" ? { line, problem: values } : toOrder(line, values)];
  };
  let rest = "";
  for await (const part of text) {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > lineLengthMax) {
      throw new ImportError(
        `${file}, line ${line + lines.length + 1}: must be an order (got more than ${lineLengthMax} characters)`,
      );
    }
    yield lines.flatMap(orderAt);
  }
  yield orderAt(rest);
}

function parseLogLine(text: string): Values | string {
  const match = logLine.exec(text);
  if (!match) return `must be like "1176 - Stockname: GameStart Quantity: 1 Order: sell" (got ${shown(text)})`;
  const [, number = "", name = "", quantity = "", type = ""] = match;
  return { number, name, quantity, type };
}

function parseJsonLine(text: string): Values | string {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    found = undefined;
  }
  if (typeof found !== "object" || found === null || Array.isArray(found))
    return `must be an order as an object in JSON (got ${shown(text)})`;
  const fields: Readonly<Record<string, unknown>> = { ...found };
  const values: Partial<Record<Column, string>> = {};
  for (const column of ["number", "name", "type", "quantity"] as const) {
    const value = fields[column];
    if (typeof value === "string" || typeof value === "number") values[column] = String(value);
  }
  return values;
}

async function* readCsv(text: AsyncIterable<string>, file: string): AsyncGenerator<readonly (OrderLine | WrongLine)[]> {
  const parser = parse({ ...csvOptions, max_record_size: lineLengthMax, info: true });
  // If the text fails, pipeline destroys the parser, and the loop below throws the error.
  pipeline(Readable.from(text), parser, () => {});
  let header: { readonly names: readonly string[]; readonly columns: ReadonlyMap<string, number> } | undefined;
  let batch: (OrderLine | WrongLine)[] = [];
  try {
    for await (const parsed of parser) {
      const { record: fields, info } = parsed as { record: string[]; info: { lines: number } };
      const line = firstLineOf(fields, info.lines);
      if (header === undefined) {
        header = { names: fields, columns: requireHeader(file, line, fields) };
        continue;
      }
      batch.push(orderOfRow(line, fields, header.names, header.columns));
      if (batch.length < 1000) continue;
      yield batch;
      batch = [];
    }
  } catch (error) {
    if (error instanceof CsvError) throw new ImportError(`${file}: must be CSV (${error.message})`, { cause: error });
    throw error;
  }
  yield batch;
}

function requireHeader(file: string, line: number, fields: readonly string[]): ReadonlyMap<string, number> {
  const columns = findColumns<keyof typeof columnNames>(fields, columnNames, required);
  if (columns) return columns;
  throw new ImportError(
    `${file}, line ${line}: must name the columns number, name, type and quantity, or be an order in JSON, or like "1176 - Stockname: GameStart Quantity: 1 Order: sell" (got ${shown(fields.join())})`,
  );
}

function orderOfRow(
  line: number,
  fields: readonly string[],
  header: readonly string[],
  columns: ReadonlyMap<string, number>,
): OrderLine | WrongLine {
  if (fields.length !== header.length)
    return { line, problem: `must have ${header.length} columns, ${header.join()} (got ${fields.length})` };
  const valueOf = (column: Column) => fields[columns.get(column) ?? -1] ?? "";
  const [number, name, quantity] = [valueOf("number"), valueOf("name"), valueOf("quantity")];
  // A system whose clients can only buy writes no type.
  return toOrder(line, { number, name, quantity, type: columns.has("type") ? valueOf("type") : "buy" });
}

function toOrder(line: number, values: Values): OrderLine | WrongLine {
  const number = wholeNumber(values.number);
  if (number === undefined) {
    return { line, problem: `number must be a whole number from 0 to ${numberMax} (got ${shown(values.number)})` };
  }
  const name = values.name?.trim() ?? "";
  if (name === "") return { line, problem: `name must be the name of a stock (got ${shown(values.name)})` };
  const type = values.type?.trim().toLowerCase();
  if (type !== "buy" && type !== "sell" && type !== "restock")
    return { line, problem: `type must be buy or sell (got ${shown(values.type)})` };
  const quantity = wholeNumber(values.quantity);
  if (quantity === undefined || quantity < 1 || quantity > tradeQuantityMax) {
    const problem = `quantity must be a whole number from 1 to ${tradeQuantityMax} (got ${shown(values.quantity)})`;
    return { line, problem };
  }
  return { line, number, name, type, quantity };
}

const numberMax = 999_999_999_999_999;

/** Accepts `12.0` too. */
function wholeNumber(text = ""): number | undefined {
  return /^\s*\d{1,15}(\.0+)?\s*$/.test(text) ? Number(text) : undefined;
}

function shown(value: string | undefined): string {
  if (value === undefined) return "none";
  return JSON.stringify(value.length > valueShownMax ? `${value.slice(0, valueShownMax)}…` : value);
}
