/** Makes the databases of a bazaar that has traded and was stopped, without starting processes. */

import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { migrateAll } from "@stock-bazaar/db/migrate";
import { openOrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { seed } from "@stock-bazaar/db/seed";
import { KeptMark } from "@stock-bazaar/order-log/sqlite/kept-mark";
import { currentBootId } from "@stock-bazaar/process/boot-id";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";
import { readConfig } from "@stock-bazaar/process/config";
import { createdAt, tradeOf } from "./builders.ts";

/** The databases of the default environment, in this folder; the ledger is there too, unless it has a URL. */
export function databasesIn(dataDir: string, ledgerUrl?: string) {
  const { replicas } = readConfig({});
  return { dataDir, replicas, ledgerUrl };
}

/**
 * Writes buys and sells of two stocks, a restock at the end, and one rejection, all in term 3.
 * Every replica holds all orders. `orders` must be at least 3.
 */
export async function makeTradedDatabases(
  dataDir: string,
  orders = 12,
  stocksFile?: string,
  ledgerUrl?: string,
): Promise<void> {
  const databases = databasesIn(dataDir, ledgerUrl);
  await migrateAll(databases);
  await seed(databases, stocksFile);
  const ledger = await chosenLedgerStore(databases).open();
  for (const term of [0, 1, 2]) await ledger.acquire({ replica: 3, term, last: undefined });
  const trades = Array.from({ length: orders - 2 }, (_, index) =>
    tradeOf(`key-${index}`, { name: index % 2 === 0 ? "GameStart" : "FishCo", type: index % 3 === 0 ? "sell" : "buy" }),
  );
  const all = tradeOf("all", { name: "BoarCo", quantity: 100 });
  await ledger.apply({
    last: undefined,
    term: 3,
    trades: [...trades, all, tradeOf("no", { quantity: 1_000_000 })],
    createdAt,
  });
  await ledger.restock({ last: undefined, term: 3, quantity: 50, after: "", limit: 10, createdAt });
  for (const id of databases.replicas.keys()) {
    const database = openOrderDatabase(dataDir, id);
    const mark = new KeptMark(database, { bootId: currentBootId(), waitsForDisk: true });
    const log = createSqliteOrderLog(database);
    await log.append(await ledger.ordersAfter(0, orders));
    mark.caughtUp();
    mark.ended();
    await log.close();
  }
  await ledger.close();
}
