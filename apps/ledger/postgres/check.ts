/**
 * Checks I1 to I3 of a ledger on PostgreSQL, while services run or after they have stopped. The server sums up and counts;
 * a replica's file is read beside the ledger, page by page.
 */

import { withoutPassword } from "@stock-bazaar/process/ledger-url";
import type { Order } from "@stock-bazaar/shared/domain";
import { explained as explainedFile, explaining as explainingFile } from "@stock-bazaar/sqlite/connection";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { openDatabase, type OpenDatabase } from "@stock-bazaar/sqlite/open";
import { gaps, lastOrderId } from "@stock-bazaar/sqlite/order-differences";
import { orderFields } from "@stock-bazaar/sqlite/order-rows";
import {
  type Check,
  checked,
  checkQuantities,
  type Finding,
  type Moved,
  type ReplicaCopy,
  type StockRow,
  unread,
} from "../check.ts";
import { type Connection, forReading, type Statement } from "./connection.ts";
import { explained } from "./failures.ts";
import { readRegister, type RegisterRow, requireRow } from "./register.ts";
import { messageOf } from "./sql-state.ts";
import { ordersAfter } from "./statements.ts";
import { onConnection } from "./view.ts";

/** Orders that are compared at once. */
const pageOrders = 5000;
const copyTable = "main.orders";

const stockRows = {
  text: `SELECT name, stocks.quantity, stocks.volume, stocks.rev, initial_stocks.quantity AS initial
    FROM stocks FULL JOIN initial_stocks USING (name) ORDER BY name`,
};
const sums = {
  text: `SELECT name, sum(CASE type WHEN 'buy' THEN quantity ELSE 0 END)::bigint AS bought,
      sum(CASE type WHEN 'sell' THEN quantity ELSE 0 END)::bigint AS sold,
      sum(CASE type WHEN 'restock' THEN quantity ELSE 0 END)::bigint AS restocked, max(id) AS rev
    FROM ledger GROUP BY name ORDER BY name`,
};
const extent = {
  text: "SELECT count(*) AS orders, coalesce(min(id), 0) AS first, coalesce(max(id), 0) AS last FROM ledger",
};
const firstGap = {
  text: `SELECT id + 1 AS id FROM ledger AS here
    WHERE NOT EXISTS (SELECT 1 FROM ledger WHERE id = here.id + 1) ORDER BY here.id LIMIT 1`,
};

type Copy = ReplicaCopy & { readonly database: OpenDatabase<"orders"> | DatabaseError };

export async function checkLedger(
  url: string,
  copies: readonly ReplicaCopy[],
  seen: (table: string) => void = () => {},
): Promise<Check[]> {
  const store = withoutPassword(url);
  return onConnection(url, forReading, async (connection) => {
    const held = copies.map((copy): Copy => ({ ...copy, database: openCopy(copy, seen) }));
    try {
      await connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
      const whyUnread = (error: unknown) => messageOf(explained(url, error));
      const { head } = requireRow((await connection.query<RegisterRow>(readRegister)).rows);
      seen("ledger");
      const checks = [
        await checked("I1", store, () => checkStocks(connection, store), whyUnread),
        await checked("I2", store, () => checkNumbers(connection, store, head), whyUnread),
      ];
      for (const { file, database } of held) {
        if (database instanceof DatabaseError) checks.push(unread("I3", file, database.message));
        else checks.push(await checked("I3", file, () => checkCopy(connection, database, store), whyUnread));
      }
      return checks;
    } finally {
      for (const { database } of held) if (!(database instanceof DatabaseError)) database.close();
    }
  });
}

/** Opens a replica's file and takes its snapshot. */
function openCopy({ id, file }: ReplicaCopy, seen: (table: string) => void): OpenDatabase<"orders"> | DatabaseError {
  let database: OpenDatabase<"orders"> | undefined;
  try {
    database = openDatabase("orders", file, "read");
    database.client.exec("BEGIN");
    database.client.prepare(`SELECT 1 FROM ${copyTable} LIMIT 1`).get();
    seen(`replica${id}.orders`);
    return database;
  } catch (error) {
    database?.close();
    return explainedFile(file, "orders", error);
  }
}

/** I1. */
async function checkStocks(connection: Connection, store: string): Promise<Finding> {
  const { rows } = await connection.query<StockRow>(stockRows);
  const moved = await connection.query<Moved & { name: string }>(sums);
  return checkQuantities(store, rows, new Map(moved.rows.map(({ name, ...sum }) => [name, sum])));
}

/** I2: the ledger's ids are 1..head. */
async function checkNumbers(connection: Connection, store: string, head: number): Promise<Finding> {
  const one = async <Row extends object>(statement: Statement) => (await connection.query<Row>(statement)).rows[0];
  const { orders, first, last } = (await one<{ orders: number; first: number; last: number }>(extent)) ?? {
    orders: 0,
    first: 0,
    last: 0,
  };
  const differences: string[] = [];
  if (orders > 0 && orders !== last) {
    const missing = first > 1 ? 1 : (await one<{ id: number }>(firstGap))?.id;
    differences.push(`${store} lacks order ${missing}, and goes on to order ${last}`);
  }
  if (head !== last)
    differences.push(`${store}, table register, column head must be the last order, ${last} (got ${head})`);
  return { what: last === 0 ? "the ledger is empty" : `the ledger's numbers are 1 to ${last}`, differences };
}

/** I3: a replica's orders are a prefix of the ledger. */
async function checkCopy(
  connection: Connection,
  { client, kind }: OpenDatabase<"orders">,
  store: string,
): Promise<Finding> {
  const file = client.name;
  const read = <Result>(action: () => Result) => explainingFile(file, kind, action);
  const page = client.prepare<[number, number], Order>(
    `SELECT ${orderFields} FROM ${copyTable} WHERE id > ? ORDER BY id LIMIT ?`,
  );
  const last = read(() => lastOrderId(client, copyTable));
  const differences: string[] = read(() => gaps(client, { file, table: copyTable }));
  let ledgerEnd = 0;
  for (let after = 0; differences.length === 0; ) {
    const { rows: ledger } = await connection.query<Order>(ordersAfter, [after, pageOrders]);
    const ids = new Map(ledger.map((order) => [order.id, order]));
    const copy = read(() => page.all(after, pageOrders));
    ledgerEnd = Math.max(ledgerEnd, ledger.at(-1)?.id ?? 0);
    const upTo = Math.min(copy.at(-1)?.id ?? 0, ledgerEnd);
    for (const order of copy) {
      if (order.id <= upTo) differences.push(...differenceOf(order, ids.get(order.id), file, store));
    }
    if (copy.length < pageOrders || upTo < (copy.at(-1)?.id ?? 0)) break;
    after = upTo;
  }
  if (differences.length === 0 && last > ledgerEnd)
    differences.push(`${file} goes on to order ${last}, but ${store} ends at order ${ledgerEnd}`);
  return { what: `${last} orders, as in the ledger row for row`, differences: differences.slice(0, 1) };
}

const columns = [
  ["key", "key"],
  ["name", "name"],
  ["type", "type"],
  ["quantity", "quantity"],
  ["price_cents", "priceCents"],
  ["term", "term"],
  ["created_at", "createdAt"],
] as const;

function differenceOf(copy: Order, original: Order | undefined, file: string, store: string): string[] {
  if (!original) return [`${file} holds order ${copy.id}, ${store} doesn't`];
  const found = columns.find(([, field]) => copy[field] !== original[field]);
  if (!found) return [];
  const [column, field] = found;
  const [value, other] = [copy, original].map((order) => JSON.stringify(order[field]));
  return [`order ${copy.id}, column ${column}: ${file} has ${value}, ${store} has ${other}`];
}
