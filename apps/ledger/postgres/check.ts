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
import { prefixDifference } from "../compare.ts";
import type { Connection, Statement } from "./connection.ts";
import { forReading } from "./connection-use.ts";
import { explained } from "./failures.ts";
import { readRegister, type RegisterRow, requireRow } from "./register.ts";
import { messageOf } from "./sql-state.ts";
import { ordersAfter } from "./statements.ts";
import { inSnapshot, onConnection } from "./view.ts";

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
  return onConnection(url, forReading, async (connection) => {
    const held = copies.map((copy): Copy => ({ ...copy, database: openCopy(copy, seen) }));
    try {
      return await inSnapshot(connection, url, () => checkAll(connection, url, held, seen));
    } finally {
      for (const { database } of held) if (!(database instanceof DatabaseError)) database.close();
    }
  });
}

async function checkAll(
  connection: Connection,
  url: string,
  copies: readonly Copy[],
  seen: (table: string) => void,
): Promise<Check[]> {
  const store = withoutPassword(url);
  const whyUnread = (error: unknown) => messageOf(explained(url, error));
  const { head } = requireRow((await connection.query<RegisterRow>(readRegister)).rows);
  seen("ledger");
  const checks = [
    await checked("I1", store, () => checkStocks(connection, store), whyUnread),
    await checked("I2", store, () => checkNumbers(connection, store, head), whyUnread),
  ];
  for (const { file, database } of copies) {
    if (database instanceof DatabaseError) checks.push(unread("I3", file, database.message));
    else checks.push(await checked("I3", file, () => checkCopy(connection, database, store), whyUnread));
  }
  return checks;
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
  const copy = { name: file, ordersAfter: async (after: number, limit: number) => read(() => page.all(after, limit)) };
  const ledger = {
    name: store,
    ordersAfter: async (after: number, limit: number) =>
      (await connection.query<Order>(ordersAfter, [after, limit])).rows,
  };
  const [gap] = read(() => gaps(client, { file, table: copyTable }));
  const difference = gap ?? (await prefixDifference(copy, last, ledger));
  return {
    what: `${last} orders, as in the ledger row for row`,
    differences: difference === undefined ? [] : [difference],
  };
}
