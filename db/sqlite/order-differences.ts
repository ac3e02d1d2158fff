/**
 * Checks that one table of orders is a prefix of another (I3).
 *
 * SQLite compares both inside one connection, so ten million orders take seconds and no memory; only differing rows are
 * read.
 */

import type { SqliteClient } from "./connection.ts";
import { orderColumns } from "./order-rows.ts";

/** A table with the columns of an order, and the file that messages name. */
export interface OrderTable {
  readonly file: string;
  /** Like `main.ledger` or `replica2.orders`. */
  readonly table: string;
}

const columns = orderColumns.filter((column) => column !== "id");

/** Attaches a replica's file to this connection. Must be called outside of a transaction. */
export function attachReplica(client: SqliteClient, id: number, file: string): OrderTable {
  client.prepare(`ATTACH ? AS replica${id}`).run(file);
  const table = `replica${id}.orders`;
  // Reads the schema now: inside a transaction, the first access would read only the schema and hold no snapshot of the
  // file.
  client.prepare(`SELECT 1 FROM ${table} LIMIT 1`).get();
  return { file, table };
}

/** Reads every value, so that a damaged page throws. */
export function readThrough(client: SqliteClient, { table }: OrderTable): void {
  client.prepare(`SELECT ${orderColumns.map((column) => `MAX(${column})`).join()} FROM ${table}`).get();
}

/** 0 if the table is empty. */
export function lastOrderId(client: SqliteClient, table: string): number {
  return client.prepare<[], { id: number | null }>(`SELECT MAX(id) AS id FROM ${table}`).get()?.id ?? 0;
}

/** How a copy differs from the original of which it should be a prefix: the first difference of each kind. */
export function prefixDifferences(client: SqliteClient, copy: OrderTable, original: OrderTable): string[] {
  const copyEnd = lastOrderId(client, copy.table);
  const originalEnd = lastOrderId(client, original.table);
  return [
    ...differentRow(client, copy, original, originalEnd),
    ...gaps(client, copy),
    ...(copyEnd > originalEnd
      ? [`${copy.file} goes on to order ${copyEnd}, but ${original.file} ends at order ${originalEnd}`]
      : []),
  ];
}

/** The first missing id from 1 to the last, as a list of at most one difference. */
export function gaps(client: SqliteClient, { file, table }: OrderTable): string[] {
  const { orders, first, last } = client
    .prepare<[], { orders: number; first: number | null; last: number | null }>(
      `SELECT (SELECT COUNT(*) FROM ${table}) AS orders, (SELECT MIN(id) FROM ${table}) AS first,
         (SELECT MAX(id) FROM ${table}) AS last`,
    )
    .get() ?? { orders: 0, first: null, last: null };
  if (first === null || last === null) return [];
  if (first < 1) return [`${file} has an order with the number ${first}`];
  if (orders === last) return [];
  const missing =
    first > 1
      ? 1
      : client
          .prepare<[], { id: number }>(
            `SELECT id + 1 AS id FROM ${table} AS here WHERE NOT EXISTS (SELECT 1 FROM ${table} WHERE id = here.id + 1)
             ORDER BY here.id LIMIT 1`,
          )
          .get()?.id;
  return [`${file} lacks order ${missing}, and goes on to order ${last}`];
}

function differentRow(client: SqliteClient, copy: OrderTable, original: OrderTable, upTo: number): string[] {
  const values = (name: string) => `(${columns.map((column) => `${name}.${column}`).join()})`;
  const id = client
    .prepare<[number], { id: number }>(
      `SELECT copy.id FROM ${copy.table} AS copy LEFT JOIN ${original.table} AS original USING (id)
       WHERE copy.id <= ? AND ${values("copy")} IS NOT ${values("original")} ORDER BY copy.id LIMIT 1`,
    )
    .get(upTo)?.id;
  if (id === undefined) return [];
  const read = (table: string) =>
    client.prepare<[number], Record<string, unknown>>(`SELECT * FROM ${table} WHERE id = ?`).get(id);
  const here = read(copy.table);
  const there = read(original.table);
  if (!here || !there) return [`${copy.file} holds order ${id}, ${original.file} doesn't`];
  const column = columns.find((name) => here[name] !== there[name]) ?? "";
  const [value, otherValue] = [here, there].map((row) => JSON.stringify(row[column]));
  return [`order ${id}, column ${column}: ${copy.file} has ${value}, ${original.file} has ${otherValue}`];
}
