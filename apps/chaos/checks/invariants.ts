/**
 * The promises of the bazaar, checked where anybody can check them: in the database files, with SQL. Each check returns
 * what is wrong, nothing if nothing is. The SQL is written by hand, as most of it compares attached files, of which
 * drizzle's tables know nothing. Apart from `db/recovery/verify.ts` on purpose, which is a part of what is put to the test.
 */

import { isOutcome, type TradeRecord } from "@stock-bazaar/client/bazaar-client";
import type { SqliteClient } from "@stock-bazaar/sqlite/connection";
import { behind, headOf, lastIdOf, type Snapshot } from "./snapshot.ts";
import type { Harm, Violation } from "./violation.ts";

/** Differences to show of one kind: the first are the most telling. */
const shownMax = 5;

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

/** I1–I5 and I8. */
export function violations(snapshot: Snapshot, { records, minCopies, equal, initialQuantities }: Told): Violation[] {
  const {
    catalog: { client },
    replicaIds,
  } = snapshot;
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

/** I4: trades in the ledger under keys that nobody has sent, such as a retry under a new one. */
export function unasked({ catalog: { client } }: Snapshot, keys: readonly string[]): Violation[] {
  return rows(
    client,
    `SELECT id, key, name, type, quantity FROM ledger
     WHERE type <> 'restock' AND key NOT IN (SELECT value FROM json_each(?)) ORDER BY id`,
    JSON.stringify(keys),
  ).map((row) => ({ promise: "I4", harm: "doubled", text: `executed, and nobody asked for it: ${row}` }));
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
function unequal(snapshot: Snapshot, equal: readonly number[]): string[] {
  const { catalog } = snapshot;
  const head = headOf(catalog);
  return behind(snapshot, equal).map((id) => `replica ${id} ends at ${lastIdOf(catalog.client, id)}, not ${head}`);
}

function rows(client: SqliteClient, sql: string, ...parameters: string[]): string[] {
  return client
    .prepare<string[]>(`${sql} LIMIT ${shownMax}`)
    .all(...parameters)
    .map((row) => JSON.stringify(row));
}
