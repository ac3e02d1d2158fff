/**
 * Reads the orders of a database for an export, also while services run. Stored orders never change, so each part is a
 * separate read: one long read would delay the service's checkpoints, and only one part needs to be in memory.
 */

import { gt, max } from "drizzle-orm";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { orderPages } from "@stock-bazaar/ledger/order-pages";
import { queryOrders } from "@stock-bazaar/order-log/sqlite/query";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { orders } from "@stock-bazaar/order-log/sqlite/tables";
import type { Order } from "@stock-bazaar/shared/domain";
import { explaining } from "@stock-bazaar/sqlite/connection";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { type Databases, longestReplica, readEnds } from "./recovery/replicas-here.ts";

export const exportFormats = ["csv", "ndjson"] as const;

export type ExportFormat = (typeof exportFormats)[number];

export interface OrderSource {
  readonly file: string;
  /** The last order when the source was opened, where the export ends; 0 if there is none. */
  readonly lastId: number;
  /** The orders with ids above `after`, ascending. */
  parts(after: number): AsyncIterable<readonly Order[]>;
  close(): void;
}

/**
 * Opens a replica's orders. Without an id, opens the file here with the most orders: a replica or the catalog's ledger.
 * Throws a DatabaseError if no file can be read.
 */
export async function openOrderSource(databases: Databases, replicaId?: number): Promise<OrderSource> {
  const { dataDir } = databases;
  if (replicaId !== undefined) return openReplica(new ReplicaFile(dataDir, replicaId));
  const longest = longestReplica(databases);
  const ledger = await openLedger(databases);
  if (ledger && (longest === undefined || ledger.lastId > longest.lastId)) return ledger;
  if (longest) return openReplica(new ReplicaFile(dataDir, longest.id));
  throw readEnds(databases).find((end) => end instanceof DatabaseError) ?? new Error(`${dataDir} holds no orders`);
}

async function openLedger(databases: Databases): Promise<OrderSource | undefined> {
  const store = chosenLedgerStore(databases);
  try {
    const lastId = await store.read((view) => view.lastId());
    const ordersAfter = (after: number, limit: number) => store.read((view) => view.ordersAfter(after, limit));
    return { file: store.name, lastId, parts: (after) => orderPages({ ordersAfter }, after, lastId), close: () => {} };
  } catch (error) {
    if (error instanceof DatabaseError) return undefined;
    throw error;
  }
}

function openReplica(replica: ReplicaFile): OrderSource {
  const { file } = replica;
  const database = replica.open("read");
  const db = queryOrders(database);
  const read = <Result>(action: () => Result) => explaining(file, database.kind, action);
  const ordersAfter = async (after: number, limit: number) =>
    read(() => db.select().from(orders).where(gt(orders.id, after)).orderBy(orders.id).limit(limit).all());
  const lastId = read(
    () =>
      db
        .select({ id: max(orders.id) })
        .from(orders)
        .get()?.id ?? 0,
  );
  return { file, lastId, parts: (after) => orderPages({ ordersAfter }, after, lastId), close: () => database.close() };
}

/** The text of an export, in parts. An import can read it. */
export async function* formatOrders(
  parts: AsyncIterable<readonly Order[]>,
  format: ExportFormat,
): AsyncGenerator<string> {
  if (format === "csv") yield "number,name,type,quantity,price,created_at,key,term\n";
  const line = format === "csv" ? csvLine : jsonLine;
  for await (const orders of parts) yield orders.map(line).join("");
}

function csvLine({ id, name, type, quantity, priceCents, createdAt, key, term }: Order): string {
  const price = `${Math.floor(priceCents / 100)}.${String(priceCents % 100).padStart(2, "0")}`;
  return `${id},${csvText(name)},${type},${quantity},${price},${createdAt},${csvText(key)},${term}\n`;
}

function jsonLine({ id, name, type, quantity, priceCents, createdAt, key, term }: Order): string {
  const price = priceCents / 100;
  return `${JSON.stringify({ number: id, name, type, quantity, price, created_at: createdAt, key, term })}\n`;
}

/** Quotes a field if CSV requires it. */
function csvText(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
