/**
 * Reads all databases at one moment while the services run, without blocking them. The replicas' files are attached to one
 * connection that only reads, and the ledger is copied into temporary tables beside them, so that SQL can compare them
 * wherever the ledger is kept. The SQL is written by hand, because drizzle's tables don't cover attached files.
 */

import type { DatabaseFolders } from "@stock-bazaar/cluster/cluster";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { orderPages } from "@stock-bazaar/ledger/order-pages";
import type { LedgerView } from "@stock-bazaar/ledger/store";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import type { Order } from "@stock-bazaar/shared/domain";
import type { SqliteClient } from "@stock-bazaar/sqlite/connection";
import { prepareInsert } from "@stock-bazaar/sqlite/insert-rows";
import { attachReplica } from "@stock-bazaar/sqlite/order-differences";
import { orderColumns, orderValues } from "@stock-bazaar/sqlite/order-rows";
import type { LedgerOrder } from "./history.ts";

const pollMs = 20;
const timeoutMsDefault = 30_000;

/**
 * All databases at one moment; the replicas are never newer than the ledger. `client` has the tables `ledger`, `stocks` and
 * `register`, and `replica1.orders` and so on.
 */
export interface Snapshot {
  readonly client: SqliteClient;
  readonly replicaIds: readonly number[];
}

/**
 * Runs `look` on a snapshot in which these replicas hold all orders of the ledger, or on the last one at the timeout.
 * At any other moment, restocks that are still being copied would look like a difference.
 */
export async function untilEqual<Result>(
  folders: DatabaseFolders,
  equal: readonly number[],
  look: (snapshot: Snapshot) => Result,
  timeoutMs: number = timeoutMsDefault,
): Promise<Result> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const isLate = performance.now() > deadlineMs;
    const result = await inSnapshot(folders, isLate ? [] : equal, look);
    if (result) return result.value;
    await Bun.sleep(pollMs);
  }
}

/** Counts the replicas that have an order on disk at the moment of the call. The caller must `close` it. */
export function openCopies({ replicaFolders }: DatabaseFolders): { of(orderNumber: number): number; close(): void } {
  const client = attachAll(replicaFolders);
  const counts = [...replicaFolders.keys()].map((id) =>
    client.prepare<[number], { copies: number }>(`SELECT COUNT(*) AS copies FROM replica${id}.orders WHERE id = ?`),
  );
  return {
    of: (orderNumber) => counts.reduce((sum, count) => sum + (count.get(orderNumber)?.copies ?? 0), 0),
    close: () => void client.close(),
  };
}

/** The ledger's orders with these keys. */
export async function ordersByKey(
  folders: DatabaseFolders,
  keys: readonly string[],
): Promise<Pick<Order, "id" | "key" | "type" | "quantity">[]> {
  const asked = new Set(keys);
  const found = (await allOrders(folders)).filter(({ key }) => asked.has(key));
  return found.map(({ id, key, type, quantity }) => ({ id, key, type, quantity }));
}

/** The whole ledger, in order of ids. */
export async function readLedger(folders: DatabaseFolders): Promise<LedgerOrder[]> {
  return (await allOrders(folders)).map(({ id, name, type, quantity }) => ({ id, name, type, quantity }));
}

export function ledgerOf({ client }: Snapshot): LedgerOrder[] {
  return client.prepare<[], LedgerOrder>("SELECT id, name, type, quantity FROM ledger ORDER BY id").all();
}

export async function allOrders({ ledger }: DatabaseFolders): Promise<Order[]> {
  const store = chosenLedgerStore(ledger);
  return (await store.read((view) => Array.fromAsync(orderPages(view, Number.MIN_SAFE_INTEGER)))).flat();
}

/** `undefined`: one of the replicas in `equal` doesn't hold what the ledger holds. */
async function inSnapshot<Result>(
  { ledger, replicaFolders }: DatabaseFolders,
  equal: readonly number[],
  look: (snapshot: Snapshot) => Result,
): Promise<{ readonly value: Result } | undefined> {
  const client = attachAll(replicaFolders);
  const replicaIds = [...replicaFolders.keys()];
  try {
    client.exec("BEGIN");
    // Each file's snapshot is taken by its first read. The services write the ledger first, so it is read last here.
    for (const id of replicaIds) lastIdOf(client, id);
    return await chosenLedgerStore(ledger).read(async (view) => {
      const { head } = await view.register();
      // Before the ledger is copied: this is asked many times.
      if (equal.some((id) => lastIdOf(client, id) !== head)) return undefined;
      await copyLedger(view, client);
      return { value: look({ client, replicaIds }) };
    });
  } finally {
    client.close();
  }
}

/** Without the constraints that the ledger has: what they forbid must show here. */
async function copyLedger(view: LedgerView, client: SqliteClient): Promise<void> {
  client.exec(`
    CREATE TEMP TABLE register (head INTEGER);
    CREATE TEMP TABLE stocks (name TEXT, quantity INTEGER, volume INTEGER, rev INTEGER);
    CREATE TEMP TABLE ledger (id INTEGER, key TEXT, name TEXT, type TEXT, quantity INTEGER, price_cents INTEGER, term INTEGER,
      created_at TEXT);
  `);
  const { head } = await view.register();
  client.prepare("INSERT INTO temp.register VALUES (?)").run(head);
  const stocks = await view.stocksFrom({ start: "", inclusive: true, limit: Number.MAX_SAFE_INTEGER });
  prepareInsert(client, "temp.stocks", ["name", "quantity", "volume", "rev"])(
    stocks.map(({ name, quantity, volume, rev }) => [name, quantity, volume, rev]),
  );
  const insertOrders = prepareInsert(client, "temp.ledger", orderColumns);
  for await (const page of orderPages(view, Number.MIN_SAFE_INTEGER)) insertOrders(page.map(orderValues));
  client.exec("CREATE INDEX temp.ledger_id ON ledger (id); CREATE INDEX temp.ledger_key ON ledger (key)");
}

/** The first file is opened twice: it makes this a connection that can't write into any of them. */
function attachAll(replicaFolders: DatabaseFolders["replicaFolders"]): SqliteClient {
  const replicas = [...replicaFolders].map(([id, folder]) => new ReplicaFile(folder, id));
  const [first] = replicas;
  if (!first) throw new Error("a bazaar must have a replica");
  const { client } = first.open("read");
  try {
    for (const { id, file } of replicas) attachReplica(client, id, file);
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

export function headOf(client: SqliteClient): number {
  return client.prepare<[], { head: number }>("SELECT head FROM register").get()?.head ?? -1;
}

export function lastIdOf(client: SqliteClient, id: number): number {
  return client.prepare<[], { id: number }>(`SELECT IFNULL(MAX(id), 0) AS id FROM replica${id}.orders`).get()?.id ?? -1;
}

/** Returns the replicas that don't end at the ledger's head. */
export function behind({ client }: Snapshot, replicaIds: readonly number[]): number[] {
  const head = headOf(client);
  return replicaIds.filter((id) => lastIdOf(client, id) !== head);
}
