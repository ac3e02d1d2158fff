/** A snapshot of a ledger, for tools and for services during their start, on a connection of its own. */

import { withoutPassword } from "@stock-bazaar/process/ledger-url";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import type { NewStock, Order, Stock } from "@stock-bazaar/shared/domain";
import type { KeptRejection, LedgerView } from "../store.ts";
import type { Connection, Statement, Value } from "./connection.ts";
import { type ConnectionUse, forReading } from "./connection-use.ts";
import { connectTo } from "./hosts.ts";
import { explained } from "./failures.ts";
import { requireMigrated } from "./migrations.ts";
import { schemaName } from "./schema.ts";
import { leasesOf, readRegister, registerOf, type RegisterRow, requireRow } from "./register.ts";
import { orderById, ordersAfter, stocksAfter, stocksFrom, unstored } from "./statements.ts";

const registerTable = { text: `SELECT to_regclass('${schemaName}.register')::oid::bigint AS table` };
const lastId = { text: "SELECT coalesce(max(id), 0) AS id FROM ledger" };
const countStocks = { text: "SELECT count(*) AS stocks FROM stocks" };
const rejectedKey = { text: "SELECT key FROM rejections WHERE key >= $1 AND key < $2 ORDER BY key LIMIT 1" };
const rejectionsAfter = {
  text: `SELECT place, key, fingerprint, reason, created_at AS "createdAt" FROM rejections WHERE place > $1
    ORDER BY place LIMIT $2`,
};
const initialStocks = {
  text: `SELECT name, price_cents AS "priceCents", initial_stocks.quantity FROM initial_stocks JOIN stocks USING (name)
    ORDER BY name`,
};

export function readLedger<Result>(url: string, look: (view: LedgerView) => Promise<Result>): Promise<Result> {
  return onConnection(url, forReading, (connection) =>
    inSnapshot(connection, url, async () => look(await viewOf(connection, url))),
  );
}

/**
 * Runs `look` in a snapshot, which its first read takes. Rejects if the ledger is replaced meanwhile: its names then lead to
 * the new tables, whose rows the snapshot doesn't show.
 */
export async function inSnapshot<Result>(
  connection: Connection,
  url: string,
  look: () => Promise<Result>,
): Promise<Result> {
  const tableNow = async () => (await connection.query<{ table: number }>(registerTable)).rows[0]?.table;
  const table = await tableNow();
  await connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  const result = await look();
  if ((await explaining(url, tableNow)) === table) return result;
  throw new DatabaseError("unreadable", withoutPassword(url), "was replaced while it was read: run this again");
}

/** Runs `action` on a connection to a migrated ledger. Its errors name the ledger. */
export async function onConnection<Result>(
  url: string,
  use: ConnectionUse,
  action: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await connectTo(url, use).catch((error: unknown) => {
    throw explained(url, error);
  });
  try {
    await explaining(url, () => requireMigrated(connection, url));
    return await action(connection);
  } finally {
    await connection.close().catch(() => {});
  }
}

export async function explaining<Result>(url: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw explained(url, error);
  }
}

/** Inside a transaction: its first read takes the snapshot. */
export async function viewOf(connection: Connection, url: string): Promise<LedgerView> {
  const read = async <Row extends object>(statement: Statement, values?: readonly Value[]) =>
    (await explaining(url, () => connection.query<Row>(statement, values))).rows;
  const register = async () => requireRow(await read<RegisterRow>(readRegister));
  await register();
  return {
    register: async () => registerOf(await register()),
    leases: async () => leasesOf(await register()),
    stocksFrom: ({ start, inclusive, limit }) => read<Stock>(inclusive ? stocksFrom : stocksAfter, [start, limit]),
    ordersAfter: (afterId, limit) => read<Order>(ordersAfter, [afterId, limit]),
    lastId: async () => (await read<{ id: number }>(lastId))[0]?.id ?? 0,
    order: async (id) => (await read<Order>(orderById, [id]))[0],
    countStocks: async () => (await read<{ stocks: number }>(countStocks))[0]?.stocks ?? 0,
    initialStocks: () => initialStocksOf(connection, url),
    firstRejectedKey: async (from, before) => (await read<{ key: string }>(rejectedKey, [from, before]))[0]?.key,
    async rejectionsAfter(after, limit) {
      const rows = await read<KeptRejection>(rejectionsAfter, [after, limit]);
      return rows.map((row) => ({ ...row, fingerprint: unstored(row.fingerprint) }));
    },
    lastRejection: async () => (await register()).lastRejection,
  };
}

export async function initialStocksOf(connection: Connection, url: string): Promise<NewStock[]> {
  return (await explaining(url, () => connection.query<NewStock>(initialStocks))).rows;
}
