/** What tools change in a ledger, each in one transaction: add stocks, fill an empty ledger, replace a whole one. */

import type { NewStock, Order } from "@stock-bazaar/shared/domain";
import { withoutPassword, wrongLedgerUrl } from "@stock-bazaar/process/ledger-url";
import { nothingUsed, Replay, ReplayError, type Replayed, type Used } from "../replay.ts";
import type { BeforeCommit, FillContent, LedgerContent, Replaced } from "../store.ts";
import type { Connection, Write } from "./connection.ts";
import { forTools } from "./connection-use.ts";
import { connectTo } from "./hosts.ts";
import { explained } from "./failures.ts";
import { applyMigrations } from "./migrations.ts";
import { lockRegister, type RegisterRow, requireRow } from "./register.ts";
import { ledgerExists, schemaName } from "./schema.ts";
import { changeOf, insertOf } from "./statements.ts";
import { explaining, initialStocksOf, onConnection } from "./view.ts";

/** Rows per statement. */
const rowsAtOnce = 5000;
/** The schema of a ledger that is being built. */
const buildingSchema = `${schemaName}_building`;

const insertStocks = {
  text: `INSERT INTO stocks (name, price_cents, quantity, volume, rev)
    SELECT name, price_cents, quantity, 0, 0 FROM unnest($1::text[], $2::bigint[], $3::bigint[])
      AS new (name, price_cents, quantity)
    ON CONFLICT (name) DO NOTHING RETURNING name`,
};
const insertInitial = {
  text: "INSERT INTO initial_stocks (name, quantity) SELECT name, quantity FROM stocks WHERE name = ANY ($1::text[])",
};
const countAdded = { text: "UPDATE register SET stock_count = stock_count + $1" };
export const countAll = { text: "UPDATE register SET stock_count = (SELECT count(*) FROM stocks)" };
const setStocks = {
  text: `INSERT INTO stocks (name, price_cents, quantity, volume, rev)
    SELECT name, price_cents, quantity, 0, 0 FROM unnest($1::text[], $2::bigint[], $3::bigint[])
      AS new (name, price_cents, quantity)
    ON CONFLICT (name) DO UPDATE
    SET price_cents = excluded.price_cents, quantity = excluded.quantity, volume = 0, rev = 0`,
};
const setInitial = {
  text: `INSERT INTO initial_stocks (name, quantity) SELECT * FROM unnest($1::text[], $2::bigint[])
    ON CONFLICT (name) DO UPDATE SET quantity = excluded.quantity`,
};
const allStocks = { text: 'SELECT name, price_cents AS "priceCents", quantity FROM stocks' };
const firstOrder = { text: "SELECT 1 FROM ledger LIMIT 1" };
/** A new life in an unused term: its first term, its head, its id, and the longest lease that may still run. */
export const beginLife = {
  text: `UPDATE register SET term = $1, leader = 0, head = $2, life = $3, first_term = $1, lease_ms = $4,
    ended_cleanly = 0`,
};
/** A catalog that was frozen since before the last ledger was dropped must not find its epoch here. */
const beginEpochs = { text: "UPDATE register SET epoch = $1" };
const keepHolder = { text: "UPDATE register SET epoch = $1, holder = $2" };
/** A takeover that waits for its lock meanwhile would change it under its new name, and seem to have the new ledger. */
const endEpochs = { text: `UPDATE ${schemaName}.register SET epoch = epoch + 1` };

/** A ledger that this process has locked. */
export interface HeldLedger {
  readonly url: string;
  /** The epoch that the lock has begun; 0 if there was no ledger to be locked. */
  readonly heldEpoch: number;
}

/** Adds the stocks that are missing. Returns how many. */
export function addStocks(url: string, stocks: readonly NewStock[], beforeCommit: BeforeCommit): Promise<number> {
  return onConnection(url, forTools, (connection) =>
    inTransaction(connection, url, async () => {
      const added = await insertMissing(connection, stocks);
      beforeCommit(await initialStocksOf(connection, url));
      // Last: it locks the register, for which trades wait.
      if (added > 0) await connection.query(countAdded, [added]);
      return added;
    }),
  );
}

export function fillLedger(target: HeldLedger, content: FillContent, beforeCommit: BeforeCommit): Promise<Replayed> {
  const { url } = target;
  const { stocks, orders, quantities } = content;
  return onConnection(url, forTools, (connection) =>
    inTransaction(connection, url, async () => {
      const used = requireRow((await connection.query<RegisterRow>(lockRegister)).rows);
      requireHeld(target, used);
      for (const page of pagesOf(stocks)) {
        const [names, prices, initial] = columnsOf(page);
        await connection.query(setStocks, [names, prices, initial]);
        await connection.query(setInitial, [names, initial]);
      }
      const replayed = await replayInto(connection, pagesOf(orders(used)), used);
      await requireQuantities(connection, quantities);
      await connection.query(countAll);
      beforeCommit(await initialStocksOf(connection, url));
      return replayed;
    }),
  );
}

export async function replaceLedger(target: HeldLedger, { stocks, pages }: LedgerContent): Promise<Replaced> {
  const { result, aside } = await buildLedger(target, async (connection, before) => {
    await connection.query(countAdded, [await insertMissing(connection, stocks)]);
    return replayInto(connection, pages, before ?? nothingUsed);
  });
  return { ...result, aside };
}

export interface Built<Result> {
  readonly result: Result;
  /** The new name of the ledger that was there; `undefined` if there was none. */
  readonly aside: string | undefined;
}

/**
 * Builds a ledger in a schema beside the existing one, which is then renamed. `fill` receives the existing ledger's locked
 * register, `undefined` if there is none.
 */
export async function buildLedger<Result>(
  target: HeldLedger,
  fill: (connection: Connection, before: RegisterRow | undefined) => Promise<Result>,
): Promise<Built<Result>> {
  const { url } = target;
  const name = withoutPassword(url);
  const connection = await explaining(url, () => connectTo(url, forTools));
  try {
    return await inTransaction(connection, url, async () => {
      const { rows } = await connection.query<{ exists: boolean }>(ledgerExists);
      const exists = rows[0]?.exists === true;
      const before = exists ? (await connection.query<RegisterRow>(lockRegister)).rows[0] : undefined;
      if (before) requireHeld(target, before);
      await applyMigrations(connection, buildingSchema, name);
      const result = await fill(connection, before);
      // The caller's lock stays, and an older catalog that still runs changes nothing.
      if (before) {
        await connection.query(keepHolder, [before.epoch, before.holder]);
        await connection.query(endEpochs);
      } else await connection.query(beginEpochs, [Date.now()]);
      const aside = `${schemaName}_${new Date().toISOString().replace(/\D/g, "_").slice(0, 23)}`;
      if (exists) await connection.run(`ALTER SCHEMA ${schemaName} RENAME TO ${aside}`);
      else await connection.run(`DROP SCHEMA IF EXISTS ${schemaName}`);
      await connection.run(`ALTER SCHEMA ${buildingSchema} RENAME TO ${schemaName}`);
      return { result, aside: exists ? `the schema ${aside} in ${name}` : undefined };
    });
  } finally {
    await connection.close().catch(() => {});
  }
}

/** `register` must be locked. A process that has not shown for some time that it lives may have lost the ledger (`holder.ts`). */
export function requireHeld({ url, heldEpoch }: HeldLedger, { epoch, holder }: RegisterRow): void {
  if (heldEpoch > 0 ? epoch === heldEpoch : holder === "") return;
  const who = holder === "" ? "another process has used it" : `another service uses it, ${holder}`;
  throw wrongLedgerUrl(url, "must be a database that no other service uses", `${who}; nothing was changed`);
}

export async function inTransaction<Result>(
  connection: Connection,
  url: string,
  action: () => Promise<Result>,
): Promise<Result> {
  await explaining(url, () => connection.run("BEGIN"));
  try {
    const result = await action();
    const { command } = await connection.query({ text: "COMMIT" });
    if (command !== "COMMIT") throw new Error(`COMMIT must be done (got ${command})`);
    return result;
  } catch (error) {
    await connection.run("ROLLBACK").catch(() => {});
    throw explained(url, error);
  }
}

async function insertMissing(connection: Connection, stocks: readonly NewStock[]): Promise<number> {
  let added = 0;
  // Sorted: of two commands with the same stocks, one waits for the other.
  for (const page of pagesOf(stocks.toSorted((a, b) => (a.name < b.name ? -1 : 1)))) {
    const { rows } = await connection.query<{ name: string }>(insertStocks, columnsOf(page));
    await connection.query(insertInitial, [rows.map(({ name }) => name)]);
    added += rows.length;
  }
  return added;
}

/** Writes the orders, the stocks that they lead to, and the register. Rejects with a ReplayError if they don't fit. */
async function replayInto(
  connection: Connection,
  pages: AsyncIterable<readonly Order[]> | Iterable<readonly Order[]>,
  used: Used,
): Promise<Replayed> {
  const write = ([statement, values]: Write) => connection.query(statement, values);
  if ((await connection.query(firstOrder)).count > 0) throw new ReplayError("the ledger has orders already");
  const replay = new Replay((await connection.query<NewStock>(allStocks)).rows, used);
  for await (const orders of pages) {
    for (const order of orders) replay.add(order);
    if (orders.length > 0) await write(insertOf(orders));
  }
  const { head, term, stocks } = replay.end(Date.now());
  for (const page of pagesOf(stocks)) await write(changeOf(page));
  await connection.query(beginLife, [term, head, crypto.randomUUID(), used.leaseMs]);
  return { head, term };
}

async function requireQuantities(connection: Connection, quantities: ReadonlyMap<string, number>): Promise<void> {
  const { rows } = await connection.query<NewStock>(allStocks);
  const found = new Map(rows.map(({ name, quantity }) => [name, quantity]));
  for (const [name, quantity] of quantities) {
    const got = found.get(name);
    if (got !== quantity) throw new Error(`the orders must lead to ${quantity} units of ${name} (got ${got})`);
  }
}

function columnsOf(stocks: readonly NewStock[]): [string[], number[], number[]] {
  return [
    stocks.map(({ name }) => name),
    stocks.map(({ priceCents }) => priceCents),
    stocks.map(({ quantity }) => quantity),
  ];
}

export function* pagesOf<Row>(rows: Iterable<Row>): Generator<Row[]> {
  let page: Row[] = [];
  for (const row of rows) {
    page.push(row);
    if (page.length < rowsAtOnce) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
