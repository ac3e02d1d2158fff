/**
 * Checks I1 to I3 in the files, while services run or after they have stopped. SQLite compares the ledger with each
 * replica's file inside one connection (ATTACH), so ten million orders take seconds and no memory. The large scans are
 * hand-written SQL.
 */

import { eq, sql } from "drizzle-orm";
import { explained, type SqliteClient } from "@stock-bazaar/sqlite/connection";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { sqliteFailure } from "@stock-bazaar/sqlite/failures";
import { openDatabase } from "@stock-bazaar/sqlite/open";
import {
  attachReplica,
  gaps,
  lastOrderId,
  type OrderTable,
  prefixDifferences,
} from "@stock-bazaar/sqlite/order-differences";
import { orderProblem } from "@stock-bazaar/sqlite/readable";
import type { DatabaseKind } from "@stock-bazaar/sqlite/kind";
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
import { type CatalogDatabase, openCatalogDatabase } from "./database.ts";
import { queryCatalog } from "./query.ts";
import { initialStocks, register, stocks } from "./tables.ts";

/** Orders that are summed up per query: sorting them takes memory. */
const chunkOrders = 50_000;

export async function checkCatalog(
  dataDir: string,
  copies: readonly ReplicaCopy[],
  seen: (table: string) => void = () => {},
): Promise<Check[]> {
  const catalog = openCatalogDatabase(dataDir, "read");
  try {
    const { client } = catalog;
    const ledger: OrderTable = { file: client.name, table: "main.ledger" };
    const attached = copies.map((copy) => ({ ...copy, table: attachIfReadable(client, copy) }));
    client.exec("BEGIN");
    const held = attached.map(({ file, table }) => {
      if (table instanceof DatabaseError) return { file, table };
      const problem = takeSnapshot(client, table, "orders");
      seen(table.table);
      return { file, table: problem ?? table };
    });
    // An error is ignored here: the checks below run into it again.
    takeSnapshot(client, ledger, "catalog");
    seen(ledger.table);

    const whyUnread = (error: unknown) => explained(ledger.file, "catalog", error).message;
    const checks = [
      await checked("I1", ledger.file, async () => checkStocks(catalog, ledger), whyUnread),
      await checked("I2", ledger.file, async () => checkNumbers(catalog, ledger), whyUnread),
    ];
    for (const { file, table } of held) {
      if (table instanceof DatabaseError) {
        checks.push(unread("I3", file, table.message));
        continue;
      }
      const whyNot = (error: unknown) => whyNotCompared(file, ledger.file, error);
      checks.push(await checked("I3", file, async () => checkCopy(client, table, ledger), whyNot));
    }
    return checks;
  } finally {
    catalog.close();
  }
}

function attachIfReadable(client: SqliteClient, { id, file }: ReplicaCopy): OrderTable | DatabaseError {
  try {
    openDatabase("orders", file, "read").close();
    return attachReplica(client, id, file);
  } catch (error) {
    if (error instanceof DatabaseError || sqliteFailure(error) !== "other") return explained(file, "orders", error);
    throw error;
  }
}

/** Fixes what this transaction reads of the file to its present state. Returns an error if the file can't be read. */
function takeSnapshot(
  client: SqliteClient,
  { file, table }: OrderTable,
  kind: DatabaseKind,
): DatabaseError | undefined {
  try {
    client.prepare(`SELECT 1 FROM ${table} LIMIT 1`).get();
    return undefined;
  } catch (error) {
    return explained(file, kind, error);
  }
}

/** SQLite's error doesn't name the damaged one of the two files, so both are checked. */
function whyNotCompared(replica: string, catalog: string, error: unknown): string {
  const ofReplica = orderProblem("orders", replica);
  if (ofReplica) return ofReplica.message;
  const ofLedger = orderProblem("catalog", catalog);
  const message = error instanceof Error ? error.message : String(error);
  return `${replica} can't be compared with the ledger: ${ofLedger?.message ?? message}`;
}

/** I1. */
function checkStocks(catalog: CatalogDatabase, { file }: OrderTable): Finding {
  return checkQuantities(file, readStocks(catalog), sumUp(catalog.client));
}

/** Every stock in `stocks` or `initial_stocks`, sorted by name. */
function readStocks(catalog: CatalogDatabase): StockRow[] {
  const name = sql<string>`ifnull(${stocks.name}, ${initialStocks.name})`;
  return queryCatalog(catalog)
    .select({
      name,
      quantity: stocks.quantity,
      volume: stocks.volume,
      rev: stocks.rev,
      initial: initialStocks.quantity,
    })
    .from(stocks)
    .fullJoin(initialStocks, eq(stocks.name, initialStocks.name))
    .orderBy(name)
    .all();
}

/** Sums up the ledger's orders of each stock, in chunks: it needs memory for the stocks only. */
function sumUp(client: SqliteClient): Map<string, Moved> {
  const chunk = client.prepare<[number, number], Moved & { name: string }>(
    `SELECT name, SUM(iif(type = 'buy', quantity, 0)) AS bought, SUM(iif(type = 'sell', quantity, 0)) AS sold,
       SUM(iif(type = 'restock', quantity, 0)) AS restocked, MAX(id) AS rev
     FROM (SELECT * FROM main.ledger WHERE id > ? ORDER BY id LIMIT ?) GROUP BY name`,
  );
  const sums = new Map<string, Moved>();
  for (let after = 0, done = false; !done; ) {
    done = true;
    for (const { name, bought, sold, restocked, rev } of chunk.iterate(after, chunkOrders)) {
      const sum = sums.get(name) ?? { bought: 0, sold: 0, restocked: 0, rev: 0 };
      sum.bought += bought;
      sum.sold += sold;
      sum.restocked += restocked;
      sum.rev = rev;
      sums.set(name, sum);
      after = Math.max(after, rev);
      done = false;
    }
  }
  return sums;
}

/** I2: the ledger's ids are 1..head. */
function checkNumbers(catalog: CatalogDatabase, ledger: OrderTable): Finding {
  const { client } = catalog;
  const last = lastOrderId(client, ledger.table);
  const head = queryCatalog(catalog).select({ head: register.head }).from(register).get()?.head;
  const differences = gaps(client, ledger);
  if (head !== last) {
    differences.push(`${ledger.file}, table register, column head must be the last order, ${last} (got ${head})`);
  }
  return { what: last === 0 ? "the ledger is empty" : `the ledger's numbers are 1 to ${last}`, differences };
}

/** I3: a replica's orders are a prefix of the ledger. */
function checkCopy(client: SqliteClient, copy: OrderTable, ledger: OrderTable): Finding {
  const what = `${lastOrderId(client, copy.table)} orders, as in the ledger row for row`;
  return { what, differences: prefixDifferences(client, copy, ledger) };
}
