/**
 * The promises of the bazaar, checked where anybody can check them: in the database files, with SQL. Each function
 * returns what is wrong in readable lines, none if nothing is; `expectInvariants` fails a test with them.
 */

import { openCatalogDatabase, orderFile, type SqliteClient } from "@stock-bazaar/db/open";
import { expect } from "vitest";
import type { Cluster } from "./cluster.ts";
import type { TradeRecord } from "./traffic.ts";
import { eventually } from "./wait.ts";

/** Differences to show of one kind: the first are the most telling. */
const shownMax = 5;

export interface Expected {
  /** What clients were told. */
  readonly records?: readonly TradeRecord[];
  /** ORDER_MIN_COPIES; default 1. */
  readonly minCopies?: number;
  /** Replicas that run, and so must end up equal to the ledger (I8). Default: all that run. */
  readonly equal?: readonly number[];
}

/** I1–I5 and I8. Waits for the replicas to be equal first: nothing else here is a matter of time. */
export async function expectInvariants(cluster: Cluster, expected: Expected = {}): Promise<void> {
  const { records = [], minCopies = 1 } = expected;
  const equal = expected.equal ?? cluster.replicaIds.filter((id) => cluster.order(id).isRunning);
  const catalog = openCatalogDatabase(cluster.dataDir, "read");
  const { client } = catalog;
  try {
    for (const id of cluster.replicaIds) attach(client, cluster.dataDir, id);
    const unequal = () => equal.filter((id) => lastIdOf(client, id) !== headOf(client));
    await eventually(`replicas ${equal.join(", ")} hold what the ledger holds`, () => unequal().length === 0).catch(
      () => {},
    );
    expect({
      "I1 conservation": conservation(client, cluster.initialQuantities),
      "I2 gapless": gaps(client),
      "I3 prefix": cluster.replicaIds.flatMap((id) => differences(client, id)),
      "I4 one outcome": outcomes(client, records),
      "I5 copies": copies(client, cluster.replicaIds, records, minCopies),
      "I8 equal": unequal().map((id) => `replica ${id} ends at ${lastIdOf(client, id)}, not ${headOf(client)}`),
    }).toEqual({
      "I1 conservation": [],
      "I2 gapless": [],
      "I3 prefix": [],
      "I4 one outcome": [],
      "I5 copies": [],
      "I8 equal": [],
    });
  } finally {
    catalog.close();
  }
}

/** On how many replicas' disks an order is at this moment. `close` it in the end. */
export function openCopies(cluster: Cluster): { of(orderNumber: number): number; close(): void } {
  const catalog = openCatalogDatabase(cluster.dataDir, "read");
  const { client } = catalog;
  for (const id of cluster.replicaIds) attach(client, cluster.dataDir, id);
  const counts = cluster.replicaIds.map((id) =>
    client.prepare<[number], { copies: number }>(`SELECT COUNT(*) AS copies FROM replica${id}.orders WHERE id = ?`),
  );
  return {
    of: (orderNumber) => counts.reduce((sum, count) => sum + (count.get(orderNumber)?.copies ?? 0), 0),
    close: () => catalog.close(),
  };
}

/** What the ledger holds under these keys. */
export function ordersByKey(
  cluster: Cluster,
  keys: readonly string[],
): { id: number; key: string; type: string; quantity: number }[] {
  const catalog = openCatalogDatabase(cluster.dataDir, "read");
  const { client } = catalog;
  try {
    return client
      .prepare<[string], { id: number; key: string; type: string; quantity: number }>(
        "SELECT id, key, type, quantity FROM ledger WHERE key IN (SELECT value FROM json_each(?)) ORDER BY id",
      )
      .all(JSON.stringify(keys));
  } finally {
    catalog.close();
  }
}

/** The whole ledger in its order. */
export function readLedger(cluster: Cluster): { id: number; name: string; type: string; quantity: number }[] {
  const catalog = openCatalogDatabase(cluster.dataDir, "read");
  const { client } = catalog;
  try {
    return client
      .prepare<[], { id: number; name: string; type: string; quantity: number }>(
        "SELECT id, name, type, quantity FROM ledger ORDER BY id",
      )
      .all();
  } finally {
    catalog.close();
  }
}

function attach(client: SqliteClient, dataDir: string, id: number): void {
  client.prepare(`ATTACH ? AS replica${id}`).run(orderFile(dataDir, id));
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

/** I4: what was told is what is written, for every key. */
function outcomes(client: SqliteClient, records: readonly TradeRecord[]): string[] {
  const told = JSON.stringify(
    records.map(({ request, status, reason, orderNumber }) => ({ ...request, status, reason, number: orderNumber })),
  );
  const answers = `SELECT value ->> 'key' AS key, value ->> 'name' AS name, value ->> 'type' AS type,
    value ->> 'quantity' AS quantity, value ->> 'status' AS status, value ->> 'reason' AS reason,
    value ->> 'number' AS number FROM json_each(?)`;
  return [
    ...rows(
      client,
      `WITH told AS MATERIALIZED (${answers})
       SELECT told.key, told.number, ledger.id AS in_ledger, ledger.name, ledger.type, ledger.quantity
       FROM told LEFT JOIN ledger ON ledger.key = told.key
       WHERE told.status = 200 AND (told.number, told.name, told.type, told.quantity)
         IS NOT (ledger.id, ledger.name, ledger.type, ledger.quantity)`,
      told,
    ).map((row) => `told accepted, but the ledger says otherwise: ${row}`),
    ...rows(
      client,
      `WITH told AS MATERIALIZED (${answers})
       SELECT told.key, told.reason, ledger.id AS in_ledger FROM told JOIN ledger ON ledger.key = told.key
       WHERE told.reason IN ('INSUFFICIENT_QUANTITY', 'INVALID_STOCKNAME')`,
      told,
    ).map((row) => `told rejected, and executed: ${row}`),
    ...rows(client, "SELECT key, COUNT(*) AS times FROM ledger GROUP BY key HAVING COUNT(*) > 1").map(
      (row) => `executed twice: ${row}`,
    ),
  ];
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

function rows(client: SqliteClient, sql: string, ...parameters: string[]): string[] {
  return client
    .prepare<string[]>(`${sql} LIMIT ${shownMax}`)
    .all(...parameters)
    .map((row) => JSON.stringify(row));
}
