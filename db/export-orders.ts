/**
 * Reads the orders of a database to be written elsewhere, beside running services as well. What is there is never
 * changed, so each part is a read of its own: a long one would keep the service from writing its log back, and memory is
 * needed for one part only.
 */

import type { Order } from "@stock-bazaar/shared/domain";
import { explaining } from "@stock-bazaar/sqlite/connection";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { type Databases, readEnds, type ReplicaEnd } from "./recovery/history.ts";
import { type CatalogDatabase, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase, type OrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { lastOrderId } from "@stock-bazaar/sqlite/order-differences";
import { orderFields } from "@stock-bazaar/sqlite/order-rows";

export const exportFormats = ["csv", "ndjson"] as const;

export type ExportFormat = (typeof exportFormats)[number];

export interface OrderSource {
  readonly file: string;
  /** The last order when it was opened: the export ends there. 0: none. */
  readonly lastId: number;
  /** Those above `after`, in the order of their numbers. */
  parts(after: number): Iterable<readonly Order[]>;
  close(): void;
}

/** Orders that are read at once. */
const partOrders = 5_000;

/**
 * Opens a replica's orders; without an id, those of the file here that holds the most of them, the catalog's ledger
 * included. Throws a DatabaseError if there is none that can be read.
 */
export function openOrderSource(databases: Databases, replicaId?: number): OrderSource {
  const { dataDir } = databases;
  if (replicaId !== undefined) return sourceOf(openOrderDatabase(dataDir, replicaId, "read"), "orders");
  const ends = readEnds(databases);
  const longest = ends
    .filter((end): end is ReplicaEnd => !(end instanceof DatabaseError))
    .reduce<ReplicaEnd | undefined>((best, end) => (best && best.lastId >= end.lastId ? best : end), undefined);
  const ledger = openLedger(dataDir);
  const longestReplica = longest?.lastId ?? 0;
  if (ledger && (longest === undefined || ledger.lastId > longestReplica)) return ledger;
  ledger?.close();
  if (longest) return sourceOf(openOrderDatabase(dataDir, longest.id, "read"), "orders");
  throw ends.find((end) => end instanceof DatabaseError) ?? new Error(`${dataDir} holds no orders`);
}

function openLedger(dataDir: string): OrderSource | undefined {
  try {
    return sourceOf(openCatalogDatabase(dataDir, "read"), "ledger");
  } catch (error) {
    if (error instanceof DatabaseError) return undefined;
    throw error;
  }
}

function sourceOf(database: CatalogDatabase | OrderDatabase, table: string): OrderSource {
  const { client, kind } = database;
  const file = client.name;
  const read = client.prepare<[number, number, number], Order>(
    `SELECT ${orderFields} FROM ${table} WHERE id > ? AND id <= ? ORDER BY id LIMIT ?`,
  );
  const lastId = explaining(file, kind, () => lastOrderId(client, table));
  function* parts(after: number): Generator<readonly Order[]> {
    for (let last = after; last < lastId; ) {
      const part = explaining(file, kind, () => read.all(last, lastId, partOrders));
      const end = part.at(-1);
      if (!end) return;
      yield part;
      last = end.id;
    }
  }
  return { file, lastId, parts, close: () => database.close() };
}

/** The text of an export, in parts: what an import reads back. */
export function* formatOrders(parts: Iterable<readonly Order[]>, format: ExportFormat): Generator<string> {
  if (format === "csv") yield "number,name,type,quantity,price,created_at,key,term\n";
  const line = format === "csv" ? csvLine : jsonLine;
  for (const orders of parts) yield orders.map(line).join("");
}

function csvLine({ id, name, type, quantity, priceCents, createdAt, key, term }: Order): string {
  const price = `${Math.floor(priceCents / 100)}.${String(priceCents % 100).padStart(2, "0")}`;
  return `${id},${csvText(name)},${type},${quantity},${price},${createdAt},${csvText(key)},${term}\n`;
}

function jsonLine({ id, name, type, quantity, priceCents, createdAt, key, term }: Order): string {
  const price = priceCents / 100;
  return `${JSON.stringify({ number: id, name, type, quantity, price, created_at: createdAt, key, term })}\n`;
}

/** Quoted where it has to be. */
function csvText(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
