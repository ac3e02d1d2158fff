/**
 * Checks the promises of the bazaar with SQL in what the databases hold. Each check returns a line for each violation. This
 * shares no code with `verify` on purpose: that is part of the system under test.
 */

import { isOutcome, type TradeRecord } from "@stock-bazaar/client/bazaar-client";
import type { SqliteClient } from "@stock-bazaar/sqlite/connection";
import { behind, headOf, lastIdOf, type Snapshot } from "./snapshot.ts";
import type { Harm, Violation } from "./violation.ts";

/** How many differences of one kind to show: the first ones say the most. */
const shownMax = 5;

export interface CheckOptions {
  /** The trades with the replies that the clients received. */
  readonly records: readonly TradeRecord[];
  /** ORDER_MIN_COPIES. */
  readonly minCopies: number;
  /** Replicas that must equal the ledger at the end (I8). */
  readonly equal: readonly number[];
  /** The quantity of every stock before the first trade. */
  readonly initialQuantities: ReadonlyMap<string, number>;
}

/** Checks I1–I5 and I8. */
export function violations(
  snapshot: Snapshot,
  { records, minCopies, equal, initialQuantities }: CheckOptions,
): Violation[] {
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
    ...wrong("I4", "doubled", [...executedAnyway(client, records), ...twice(client), ...severalOutcomes(records)]),
    ...wrong("I5", "lost", copies(client, replicaIds, records, minCopies)),
    ...wrong("I8", "other", unequal(snapshot, equal)),
  ];
}

/** I4: trades in the ledger under keys that no client sent, for example a retry under a new key. */
export function unasked({ client }: Snapshot, keys: readonly string[]): Violation[] {
  return rows(
    client,
    `SELECT id, key, name, type, quantity FROM ledger
     WHERE type <> 'restock' AND key NOT IN (SELECT value FROM json_each(?)) ORDER BY id`,
    JSON.stringify(keys),
  ).map((row) => ({ promise: "I4", harm: "doubled", text: `executed, but no client sent it: ${row}` }));
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

/** I3: every row equals the ledger's, and there is no gap. */
function differences(client: SqliteClient, id: number): string[] {
  const columns = "id, key, name, type, quantity, price_cents, term, created_at";
  return [
    ...rows(client, `SELECT ${columns} FROM replica${id}.orders EXCEPT SELECT ${columns} FROM ledger ORDER BY id`).map(
      (row) => `replica ${id} holds an order that the ledger lacks: ${row}`,
    ),
    ...rows(
      client,
      `SELECT COUNT(*) AS orders, MAX(id) AS last FROM replica${id}.orders HAVING COUNT(*) IS NOT IFNULL(MAX(id), 0)`,
    ).map((row) => `replica ${id} has a gap: ${row}`),
  ];
}

/** I4: every acknowledged trade is in the ledger with the same number and content. */
function missing(client: SqliteClient, records: readonly TradeRecord[]): string[] {
  return rows(
    client,
    `${repliesTable}
     SELECT replies.key, replies.number, ledger.id AS in_ledger, ledger.name, ledger.type, ledger.quantity
     FROM replies LEFT JOIN ledger ON ledger.key = replies.key
     WHERE replies.status = 200 AND (replies.number, replies.name, replies.type, replies.quantity)
       IS NOT (ledger.id, ledger.name, ledger.type, ledger.quantity)`,
    repliesJson(records),
  ).map((row) => `acknowledged, but the ledger differs: ${row}`);
}

/** I4: a rejected trade never executes. */
function executedAnyway(client: SqliteClient, records: readonly TradeRecord[]): string[] {
  return rows(
    client,
    `${repliesTable}
     SELECT replies.key, replies.reason, ledger.id AS in_ledger FROM replies JOIN ledger ON ledger.key = replies.key
     WHERE replies.reason IN ('INSUFFICIENT_QUANTITY', 'INVALID_STOCKNAME')`,
    repliesJson(records),
  ).map((row) => `rejected, but executed: ${row}`);
}

/** I4: no key is in the ledger twice. */
function twice(client: SqliteClient): string[] {
  return rows(client, "SELECT key, COUNT(*) AS times FROM ledger GROUP BY key HAVING COUNT(*) > 1").map(
    (row) => `executed twice: ${row}`,
  );
}

/** I4: every client received the same outcome for a key. */
function severalOutcomes(records: readonly TradeRecord[]): string[] {
  const outcomes = new Map<string, Set<string>>();
  for (const { request, status, reason, orderNumber } of records) {
    if (!isOutcome(status, reason)) continue;
    const known = outcomes.get(request.key) ?? new Set();
    outcomes.set(request.key, known.add(orderNumber === undefined ? reason : `order ${orderNumber}`));
  }
  return [...outcomes]
    .filter(([, known]) => known.size > 1)
    .slice(0, shownMax)
    .map(([key, known]) => `key ${key} must have one outcome (got ${[...known].join(" and ")})`);
}

const repliesTable = `WITH replies AS MATERIALIZED (
  SELECT value ->> 'key' AS key, value ->> 'name' AS name, value ->> 'type' AS type, value ->> 'quantity' AS quantity,
    value ->> 'status' AS status, value ->> 'reason' AS reason, value ->> 'number' AS number FROM json_each(?)
)`;

function repliesJson(records: readonly TradeRecord[]): string {
  return JSON.stringify(
    records.map(({ request, status, reason, orderNumber }) => ({ ...request, status, reason, number: orderNumber })),
  );
}

/** I5. The replicas are prefixes of the ledger (I3), so their last ids give the number of copies of an order. */
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

/** I8: these replicas end at the ledger's head. */
function unequal(snapshot: Snapshot, equal: readonly number[]): string[] {
  const { client } = snapshot;
  return behind(snapshot, equal).map((id) => `replica ${id} ends at ${lastIdOf(client, id)}, not ${headOf(client)}`);
}

function rows(client: SqliteClient, sql: string, ...parameters: string[]): string[] {
  return client
    .prepare<string[]>(`${sql} LIMIT ${shownMax}`)
    .all(...parameters)
    .map((row) => JSON.stringify(row));
}
