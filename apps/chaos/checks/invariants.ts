/**
 * The promises of the bazaar, checked where anybody can check them: in the database files, with SQL. Each check returns
 * what is wrong, nothing if nothing is.
 */

import { openCatalogDatabase, orderFile, type SqliteClient } from "@stock-bazaar/db/open";
import { isOutcome, type TradeRecord } from "../clients/trading-client.ts";
import type { DatabaseFolders } from "../cluster/cluster.ts";
import type { Harm, Violation } from "./violation.ts";

/** Differences to show of one kind: the first are the most telling. */
const shownMax = 5;
const pollMs = 20;
const timeoutMsDefault = 30_000;

export interface Told {
  /** What clients were told. */
  readonly records: readonly TradeRecord[];
  /** ORDER_MIN_COPIES. */
  readonly minCopies: number;
  /** Replicas that must end up equal to the ledger (I8). */
  readonly equal: readonly number[];
  /** Of every stock, before the first trade. */
  readonly initialQuantities: ReadonlyMap<string, number>;
}

/** All databases at one moment, the replicas no later than the ledger. */
export interface Snapshot {
  readonly client: SqliteClient;
  readonly replicaIds: readonly number[];
}

export interface LedgerOrder {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly type: string;
  readonly quantity: number;
}

/** I1–I5 and I8. */
export function violations(snapshot: Snapshot, { records, minCopies, equal, initialQuantities }: Told): Violation[] {
  const { client, replicaIds } = snapshot;
  const wrong = (promise: Violation["promise"], harm: Harm, texts: readonly string[]): Violation[] =>
    texts.map((text) => ({ promise, harm, text }));
  return [
    ...wrong("I1", "other", conservation(client, initialQuantities)),
    ...wrong("I2", "other", gaps(client)),
    ...wrong(
      "I3",
      "other",
      replicaIds.flatMap((id) => differences(client, id)),
    ),
    ...wrong("I4", "lost", missing(client, records)),
    ...wrong("I4", "doubled", [...executedAnyway(client, records), ...twice(client), ...toldDifferently(records)]),
    ...wrong("I5", "lost", copies(client, replicaIds, records, minCopies)),
    ...wrong("I8", "other", unequal(snapshot, equal)),
  ];
}

/**
 * Looks at the databases in a moment in which these replicas hold what the ledger holds; if there is none in time, as
 * they are then. Without such a moment, the house's own orders would look like a difference.
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
    const result = inSnapshot(folders, (snapshot) =>
      isLate || unequal(snapshot, equal).length === 0 ? { value: look(snapshot) } : undefined,
    );
    if (result) return result.value;
    await Bun.sleep(pollMs);
  }
}

/** I4: trades in the ledger under keys that nobody has sent, such as a retry under a new one. */
export function unasked({ client }: Snapshot, keys: readonly string[]): Violation[] {
  return rows(
    client,
    `SELECT id, key, name, type, quantity FROM ledger
     WHERE type <> 'restock' AND key NOT IN (SELECT value FROM json_each(?)) ORDER BY id`,
    JSON.stringify(keys),
  ).map((row) => ({ promise: "I4", harm: "doubled", text: `executed, and nobody asked for it: ${row}` }));
}

/** On how many replicas' disks an order is at this moment. `close` it in the end. */
export function openCopies(folders: DatabaseFolders): { of(orderNumber: number): number; close(): void } {
  const catalog = openAll(folders);
  const counts = [...folders.replicaFolders.keys()].map((id) =>
    catalog.client.prepare<[number], { copies: number }>(
      `SELECT COUNT(*) AS copies FROM replica${id}.orders WHERE id = ?`,
    ),
  );
  return {
    of: (orderNumber) => counts.reduce((sum, count) => sum + (count.get(orderNumber)?.copies ?? 0), 0),
    close: () => catalog.close(),
  };
}

/** What the ledger holds under these keys. */
export function ordersByKey(
  folders: DatabaseFolders,
  keys: readonly string[],
): Pick<LedgerOrder, "id" | "key" | "type" | "quantity">[] {
  return inSnapshot(folders, ({ client }) =>
    client
      .prepare<[string], Pick<LedgerOrder, "id" | "key" | "type" | "quantity">>(
        "SELECT id, key, type, quantity FROM ledger WHERE key IN (SELECT value FROM json_each(?)) ORDER BY id",
      )
      .all(JSON.stringify(keys)),
  );
}

/** The whole ledger in its order. */
export function readLedger(folders: DatabaseFolders): Omit<LedgerOrder, "key">[] {
  return inSnapshot(folders, ({ client }) => ledgerOf(client));
}

export function ledgerOf(client: SqliteClient): Omit<LedgerOrder, "key">[] {
  return client.prepare<[], Omit<LedgerOrder, "key">>("SELECT id, name, type, quantity FROM ledger ORDER BY id").all();
}

function inSnapshot<Result>(folders: DatabaseFolders, look: (snapshot: Snapshot) => Result): Result {
  const catalog = openAll(folders);
  const { client } = catalog;
  const replicaIds = [...folders.replicaFolders.keys()];
  try {
    client.exec("BEGIN");
    // Each file's snapshot is that of its first read. The ledger comes first in life, so here it comes last.
    for (const id of replicaIds) lastIdOf(client, id);
    headOf(client);
    return look({ client, replicaIds });
  } finally {
    catalog.close();
  }
}

function openAll({ catalogFolder, replicaFolders }: DatabaseFolders) {
  const catalog = openCatalogDatabase(catalogFolder, "read");
  try {
    for (const [id, folder] of replicaFolders)
      catalog.client.prepare(`ATTACH ? AS replica${id}`).run(orderFile(folder, id));
    return catalog;
  } catch (error) {
    catalog.close();
    throw error;
  }
}

function headOf(client: SqliteClient): number {
  return client.prepare<[], { head: number }>("SELECT head FROM register").get()?.head ?? -1;
}

function lastIdOf(client: SqliteClient, id: number): number {
  return client.prepare<[], { id: number }>(`SELECT IFNULL(MAX(id), 0) AS id FROM replica${id}.orders`).get()?.id ?? -1;
}

/** I1: the ledger explains every unit. */
function conservation(client: SqliteClient, initialQuantities: ReadonlyMap<string, number>): string[] {
  const initial = JSON.stringify([...initialQuantities].map(([name, quantity]) => ({ name, quantity })));
  return rows(
    client,
    `WITH initial AS (SELECT value ->> 'name' AS name, value ->> 'quantity' AS quantity FROM json_each(?)),
       moved AS (
         SELECT name, SUM(iif(type = 'buy', -quantity, quantity)) AS units,
           SUM(iif(type = 'restock', 0, quantity)) AS volume, MAX(id) AS rev
         FROM ledger GROUP BY name
       ),
       explained AS (
         SELECT name, initial.quantity + IFNULL(units, 0) AS quantity, IFNULL(volume, 0) AS volume, IFNULL(rev, 0) AS rev
         FROM initial LEFT JOIN moved USING (name)
       )
     SELECT name, stocks.quantity, explained.quantity AS explained, stocks.volume, explained.volume AS traded,
       stocks.rev, explained.rev AS last_order
     FROM stocks FULL JOIN explained USING (name)
     WHERE stocks.quantity < 0 OR (stocks.quantity, stocks.volume, stocks.rev)
       IS NOT (explained.quantity, explained.volume, explained.rev)
     UNION ALL
     SELECT name, NULL, units, NULL, volume, NULL, rev FROM moved WHERE name NOT IN (SELECT name FROM stocks)`,
    initial,
  );
}

/** I2: 1..head. */
function gaps(client: SqliteClient): string[] {
  return rows(
    client,
    `SELECT COUNT(*) AS orders, MIN(id) AS first, MAX(id) AS last, (SELECT head FROM register) AS head FROM ledger
     HAVING COUNT(*) IS NOT IFNULL(MAX(id), 0) OR head IS NOT IFNULL(MAX(id), 0) OR MIN(id) > 1`,
  );
}

/** I3: row for row, without a hole at the front. */
function differences(client: SqliteClient, id: number): string[] {
  const columns = "id, key, name, type, quantity, price_cents, term, created_at";
  return [
    ...rows(
      client,
      `SELECT ${columns} FROM replica${id}.orders EXCEPT SELECT ${columns} FROM main.ledger ORDER BY id`,
    ).map((row) => `replica ${id} holds what the ledger doesn't: ${row}`),
    ...rows(
      client,
      `SELECT COUNT(*) AS orders, MAX(id) AS last FROM replica${id}.orders HAVING COUNT(*) IS NOT IFNULL(MAX(id), 0)`,
    ).map((row) => `replica ${id} has a hole: ${row}`),
  ];
}

/** I4: every trade that was told accepted is in the ledger, as it was told. */
function missing(client: SqliteClient, records: readonly TradeRecord[]): string[] {
  return rows(
    client,
    `${toldAnswers}
     SELECT told.key, told.number, ledger.id AS in_ledger, ledger.name, ledger.type, ledger.quantity
     FROM told LEFT JOIN ledger ON ledger.key = told.key
     WHERE told.status = 200 AND (told.number, told.name, told.type, told.quantity)
       IS NOT (ledger.id, ledger.name, ledger.type, ledger.quantity)`,
    toldJson(records),
  ).map((row) => `told accepted, but the ledger says otherwise: ${row}`);
}

/** I4: what was told rejected never executes. */
function executedAnyway(client: SqliteClient, records: readonly TradeRecord[]): string[] {
  return rows(
    client,
    `${toldAnswers}
     SELECT told.key, told.reason, ledger.id AS in_ledger FROM told JOIN ledger ON ledger.key = told.key
     WHERE told.reason IN ('INSUFFICIENT_QUANTITY', 'INVALID_STOCKNAME')`,
    toldJson(records),
  ).map((row) => `told rejected, and executed: ${row}`);
}

/** I4: no key is there twice. */
function twice(client: SqliteClient): string[] {
  return rows(client, "SELECT key, COUNT(*) AS times FROM ledger GROUP BY key HAVING COUNT(*) > 1").map(
    (row) => `executed twice: ${row}`,
  );
}

/** I4: one outcome per key, whoever asked. */
function toldDifferently(records: readonly TradeRecord[]): string[] {
  const outcomes = new Map<string, Set<string>>();
  for (const { request, status, reason, orderNumber } of records) {
    if (!isOutcome(status, reason)) continue;
    const told = outcomes.get(request.key) ?? new Set();
    outcomes.set(request.key, told.add(orderNumber === undefined ? reason : `order ${orderNumber}`));
  }
  return [...outcomes]
    .filter(([, told]) => told.size > 1)
    .slice(0, shownMax)
    .map(([key, told]) => `key ${key} was told ${[...told].join(" and ")}`);
}

const toldAnswers = `WITH told AS MATERIALIZED (
  SELECT value ->> 'key' AS key, value ->> 'name' AS name, value ->> 'type' AS type, value ->> 'quantity' AS quantity,
    value ->> 'status' AS status, value ->> 'reason' AS reason, value ->> 'number' AS number FROM json_each(?)
)`;

function toldJson(records: readonly TradeRecord[]): string {
  return JSON.stringify(
    records.map(({ request, status, reason, orderNumber }) => ({ ...request, status, reason, number: orderNumber })),
  );
}

/** I5. The replicas are prefixes of the ledger (I3), so the last ids tell how often an order is there. */
function copies(
  client: SqliteClient,
  replicaIds: readonly number[],
  records: readonly TradeRecord[],
  minCopies: number,
): string[] {
  const lastIds = replicaIds.map((id) => lastIdOf(client, id)).sort((a, b) => b - a);
  const held = lastIds[minCopies - 1] ?? 0;
  return records
    .filter(({ orderNumber }) => orderNumber !== undefined && orderNumber > held)
    .slice(0, shownMax)
    .map(({ orderNumber }) => `order ${orderNumber} was acknowledged; the replicas end at ${lastIds.join(", ")}`);
}

/** I8. */
function unequal({ client }: Snapshot, equal: readonly number[]): string[] {
  const head = headOf(client);
  return equal
    .filter((id) => lastIdOf(client, id) !== head)
    .map((id) => `replica ${id} ends at ${lastIdOf(client, id)}, not ${head}`);
}

function rows(client: SqliteClient, sql: string, ...parameters: string[]): string[] {
  return client
    .prepare<string[]>(`${sql} LIMIT ${shownMax}`)
    .all(...parameters)
    .map((row) => JSON.stringify(row));
}
