/**
 * Checks the promises I1 to I3 where they can be checked without trusting any service: in the files, stopped or running.
 * Each file is seen at one moment, and the replicas' moments come before the catalog's: an order is in the ledger before
 * any replica has it, so seen in this order a replica of a running system is never ahead.
 */

import { explained, type SqliteClient } from "@stock-bazaar/sqlite/connection";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import {
  adviceForUnreadable,
  type Databases,
  HistoryError,
  replicasHere,
  requireNoLostCatalog,
  sharedFiles,
} from "./history.ts";
import { type CatalogDatabase, catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { advice } from "@stock-bazaar/process/advice";
import {
  attachReplica,
  gaps,
  lastOrderId,
  type OrderTable,
  prefixDifferences,
} from "@stock-bazaar/sqlite/order-differences";
import { ledgerProblem, replicaProblem } from "./readable.ts";
import type { DatabaseKind } from "@stock-bazaar/sqlite/kind";
import { sqliteFailure } from "@stock-bazaar/sqlite/failures";

export interface Check {
  readonly promise: "I1" | "I2" | "I3";
  /** The database that was checked. */
  readonly file: string;
  /** What was looked at. */
  readonly what: string;
  /** `unread`: somebody couldn't look, so nobody knows whether the promise holds. */
  readonly outcome: "kept" | "broken" | "unread";
  /** Readable lines, the most telling first: what is broken, or why it couldn't be read. None: the promise holds. */
  readonly differences: readonly string[];
}

/** Orders that are added up at once: sorting them takes memory. */
const chunkOrders = 50_000;
/** More differences of one check than this are of no use to anybody. */
const differencesMax = 10;

/** A file that can't be read is told with why. `seen` hears of each table when its moment has passed. */
export function verify(databases: Databases, seen: (table: string) => void = () => {}): Check[] {
  const { dataDir } = databases;
  const shared = sharedFiles(databases);
  const replicaFiles = replicasHere(databases).map((id) => ({ id, file: orderFile(dataDir, id) }));

  let catalog: CatalogDatabase;
  try {
    requireNoLostCatalog(databases);
    catalog = openCatalogDatabase(dataDir, "read");
  } catch (error) {
    if (!(error instanceof DatabaseError || error instanceof HistoryError)) throw error;
    return [
      unread("I1", catalogFile(dataDir), error.message),
      ...replicaFiles.map(({ id, file }) => unread("I3", file, whatOfReplicaAlone(dataDir, id))),
    ];
  }

  try {
    const { client } = catalog;
    const ledger: OrderTable = { file: catalogFile(dataDir), table: "main.ledger" };
    const attached = replicaFiles.map(({ id, file }) => ({ id, file, copy: attachIfReadable(client, dataDir, id) }));
    client.exec("BEGIN");
    const held = attached.map(({ id, file, copy }) => {
      if (copy instanceof DatabaseError) return { id, file, copy };
      const problem = holdMoment(client, copy, "orders");
      seen(copy.table);
      return { id, file, copy: problem ?? copy };
    });
    // Whatever is wrong with the ledger, its checks meet it again.
    holdMoment(client, ledger, "catalog");
    seen(ledger.table);

    return [
      check("I1", ledger.file, () => checkQuantities(client, ledger.file)),
      check("I2", ledger.file, () => checkNumbers(client, ledger)),
      ...held.map(({ id, file, copy }) => {
        const problem = shared.get(file);
        // Whatever it holds, it is no copy.
        if (problem !== undefined)
          return check("I3", file, () => ({ what: "no file of its own", differences: [problem] }));
        if (copy instanceof DatabaseError) return unread("I3", file, copy.message);
        return check(
          "I3",
          file,
          () => checkCopy(client, copy, ledger),
          (error) => whyNotCompared(dataDir, id, error),
        );
      }),
    ];
  } finally {
    catalog.close();
  }
}

/** Without a catalog to fetch its orders from again, what a replica's file holds may be all that is left of them. */
function whatOfReplicaAlone(dataDir: string, id: number): string {
  const error = replicaProblem(dataDir, id);
  if (!error) return `${orderFile(dataDir, id)} has nothing to be compared with`;
  switch (error.problem) {
    case "damaged":
    case "not-sqlite":
    case "unreadable":
      return `${adviceForUnreadable(error)}, then ${advice.rebuildCatalog}`;
    default:
      return error.message;
  }
}

function attachIfReadable(client: SqliteClient, dataDir: string, id: number): OrderTable | DatabaseError {
  const file = orderFile(dataDir, id);
  try {
    openOrderDatabase(dataDir, id, "read").close();
    return attachReplica(client, id, file);
  } catch (error) {
    if (error instanceof DatabaseError || sqliteFailure(error) !== "other") return explained(file, "orders", error);
    throw error;
  }
}

/** From here on the file is seen as it is now. */
function holdMoment(client: SqliteClient, { file, table }: OrderTable, kind: DatabaseKind): DatabaseError | undefined {
  try {
    client.prepare(`SELECT 1 FROM ${table} LIMIT 1`).get();
    return undefined;
  } catch (error) {
    return explained(file, kind, error);
  }
}

/** SQLite doesn't say in which of the two files it met the damage. */
function whyNotCompared(dataDir: string, id: number, error: unknown): string {
  const ofReplica = replicaProblem(dataDir, id);
  if (ofReplica) return ofReplica.message;
  const ofLedger = ledgerProblem(dataDir);
  const message = error instanceof Error ? error.message : String(error);
  return `${orderFile(dataDir, id)} can't be compared with the ledger: ${ofLedger?.message ?? message}`;
}

interface Finding {
  readonly what: string;
  readonly differences: readonly string[];
}

/** A page that is damaged is only found by reading it: `why` tells then whose it is. */
function check(
  promise: Check["promise"],
  file: string,
  look: () => Finding,
  why = (error: unknown) => explained(file, "catalog", error).message,
): Check {
  try {
    const { what, differences } = look();
    const outcome = differences.length === 0 ? "kept" : "broken";
    return { promise, file, what, outcome, differences: differences.slice(0, differencesMax) };
  } catch (error) {
    return unread(promise, file, why(error));
  }
}

function unread(promise: Check["promise"], file: string, why: string): Check {
  return { promise, file, what: "not checked", outcome: "unread", differences: [why] };
}

interface Moved {
  bought: number;
  sold: number;
  restocked: number;
  rev: number;
}

interface StockRow {
  readonly name: string;
  readonly quantity: number | null;
  readonly volume: number | null;
  readonly rev: number | null;
  readonly initial: number | null;
}

/** I1: initial − bought + sold + restocked = quantity ≥ 0; volume = bought + sold; rev is the stock's last order. */
function checkQuantities(client: SqliteClient, file: string): Finding {
  const ledger = sumUp(client);
  const stocks = client.prepare<[], StockRow>(
    `SELECT name, stocks.quantity, volume, rev, initial_stocks.quantity AS initial
     FROM main.stocks FULL JOIN main.initial_stocks USING (name) ORDER BY name`,
  );
  const differences: string[] = [];
  let count = 0;
  for (const stock of stocks.iterate()) {
    count += 1;
    const moved = ledger.get(stock.name);
    ledger.delete(stock.name);
    if (differences.length < differencesMax) differences.push(...stockDifferences(file, stock, moved));
  }
  for (const [name, { rev }] of ledger) {
    if (differences.length >= differencesMax) break;
    differences.push(`${file}, order ${rev} is of ${JSON.stringify(name)}, which is no stock`);
  }
  return { what: `the ledger explains the quantities of ${count} stocks`, differences };
}

function stockDifferences(file: string, stock: StockRow, moved: Moved | undefined): string[] {
  const { name, quantity, volume, rev, initial } = stock;
  const { bought, sold, restocked, rev: lastOrder } = moved ?? { bought: 0, sold: 0, restocked: 0, rev: 0 };
  const place = `${file}, stock ${JSON.stringify(name)}`;
  if (quantity === null) return [`${place} is in initial_stocks, but not in stocks`];
  if (initial === null) return [`${place} is in stocks, but not in initial_stocks`];
  const explained = initial - bought + sold + restocked;
  const differences: string[] = [];
  if (quantity !== explained) {
    const sum = `${initial} at first − ${bought} bought + ${sold} sold + ${restocked} restocked = ${explained}`;
    differences.push(`${place}, column quantity: ${quantity}, but the ledger says ${sum}`);
  }
  if (quantity < 0) differences.push(`${place}, column quantity: ${quantity}, which is below zero`);
  if (volume !== bought + sold) {
    const sum = `${bought} bought + ${sold} sold = ${bought + sold}`;
    differences.push(`${place}, column volume: ${volume}, but the ledger says ${sum}`);
  }
  if (rev !== lastOrder) differences.push(`${place}, column rev: ${rev}, but its last order is ${lastOrder}`);
  return differences;
}

/** What the ledger says of each stock. A few thousand orders at a time: memory is needed for the stocks only. */
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
function checkNumbers(client: SqliteClient, ledger: OrderTable): Finding {
  const last = lastOrderId(client, ledger.table);
  const head = client.prepare<[], { head: number }>("SELECT head FROM main.register").get()?.head;
  const differences = gaps(client, ledger);
  if (head !== last) {
    differences.push(`${ledger.file}, table register, column head: ${head}, but the ledger ends at order ${last}`);
  }
  return { what: last === 0 ? "the ledger is empty" : `the ledger's numbers are 1 to ${last}`, differences };
}

/** I3: a replica's orders are a prefix of the ledger. */
function checkCopy(client: SqliteClient, copy: OrderTable, ledger: OrderTable): Finding {
  const what = `${lastOrderId(client, copy.table)} orders, as in the ledger row for row`;
  return { what, differences: prefixDifferences(client, copy, ledger) };
}
