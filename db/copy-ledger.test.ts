/** Moving a ledger from catalog.db to PostgreSQL and back. What a store must do is in test/contract/ledger-store.ts. */

import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import type { Order } from "@stock-bazaar/shared/domain";
import { expect, test } from "vitest";
import { createdAt, tradeOf } from "../test/support/builders.ts";
import { newPostgresDatabase } from "../test/support/postgres.ts";
import { tradedCopies } from "../test/support/traded-copies.ts";
import { databasesIn } from "../test/support/traded-databases.ts";
import { copyLedger } from "./copy-ledger.ts";
import { migrateAll } from "./migrate.ts";
import { requireOneHistory } from "./recovery/history.ts";
import type { Databases } from "./recovery/replicas-here.ts";
import { verify } from "./recovery/verify.ts";
import { seed } from "./seed.ts";

const traded = tradedCopies();

async function fileAndServer() {
  const dataDir = traded.copy();
  return { dataDir, file: databasesIn(dataDir), server: databasesIn(dataDir, await newPostgresDatabase()) };
}

const outcomes = async (databases: Databases) =>
  (await verify(databases)).map(({ promise, outcome }) => `${promise} ${outcome}`);
const allKept = ["I1 kept", "I2 kept", "I3 kept", "I3 kept", "I3 kept"];

/** One trade more, in the ledger and in the first replica. */
async function tradeOn(databases: Databases, key: string): Promise<void> {
  const ledger = await chosenLedgerStore(databases).open();
  const { term, head } = await ledger.register();
  const last = (await ledger.ordersAfter(head - 1, 1)).at(0);
  await ledger.acquire({ replica: 1, term, last });
  const { orders } = await ledger.apply({ term: term + 1, last, trades: [tradeOf(key)], createdAt });
  await ledger.close();
  const log = createSqliteOrderLog(new ReplicaFile(databases.dataDir, 1).open());
  await log.append(orders);
  await log.close();
}

/** The last order of the first replica. */
function lastOrderOf(dataDir: string): Order[] {
  const end = new ReplicaFile(dataDir, 1).end();
  return end instanceof Error || end.last === undefined ? [] : [end.last];
}

test("a ledger moves to PostgreSQL and back, with the replicas as they are", async () => {
  const { dataDir, file, server } = await fileAndServer();
  const counted = { orders: 12, stocks: 10, rejections: 1 };
  const before = readFileSync(catalogFile(dataDir));
  expect(await copyLedger(file, server)).toEqual({
    ...counted,
    source: catalogFile(dataDir),
    copy: server.ledgerUrl,
    aside: undefined,
  });
  expect(readFileSync(catalogFile(dataDir))).toEqual(before);
  expect(await outcomes(server)).toEqual(allKept);
  await tradeOn(server, "on the server");
  expect(await outcomes(server)).toEqual(allKept);

  rmSync(catalogFile(dataDir));
  expect(await copyLedger(server, file)).toMatchObject({ ...counted, orders: 13, copy: catalogFile(dataDir) });
  expect(await outcomes(file)).toEqual(allKept);
  await tradeOn(file, "in the file");
  expect(await outcomes(file)).toEqual(allKept);
  await expect(requireOneHistory(server)).rejects.toThrow("ends at order 13, but");
});

test("the original is refused once its copy has traded, also by replicas on other machines", async () => {
  const { dataDir, file, server } = await fileAndServer();
  await copyLedger(file, server);
  await requireOneHistory(file);
  await tradeOn(server, "more");
  await expect(requireOneHistory(file)).rejects.toThrow(
    /catalog\.db ends at order 12, but .*order-1\.db goes on to order 13: name the ledger that belongs to the replicas/,
  );
  await expect(copyLedger(file, server)).rejects.toThrow("catalog.db ends at order 12, but");
  const [last] = lastOrderOf(dataDir);
  const ledger = await chosenLedgerStore(file).open();
  await expect(ledger.acquire({ replica: 1, term: 3, last })).rejects.toThrow("ends at 12, before order 13");
  await ledger.close();
  expect(existsSync(orderFile(dataDir, 1))).toBe(true);
});

test("an empty ledger that was made instead of a copy is refused beside the replicas' files", async () => {
  const { dataDir, file, server } = await fileAndServer();
  await migrateAll(databasesIn(join(dataDir, "elsewhere"), server.ledgerUrl));
  await seed(server);
  await expect(requireOneHistory(server)).rejects.toThrow(
    / is empty, but .*order-1\.db goes on to order 12: name the ledger that belongs to the replicas .*move it here with `npm run ledger -- copy/,
  );
  await copyLedger(file, server);
  await requireOneHistory(server);
});

test("the copy's terms are never the original's, although that one goes on by mistake", async () => {
  const { file, server } = await fileAndServer();
  await copyLedger(file, server);
  const termOf = async (databases: Databases) =>
    (await chosenLedgerStore(databases).read((view) => view.register())).term;
  await tradeOn(file, "by mistake");
  expect(await termOf(file)).toBe(4);
  expect(await termOf(server)).toBeGreaterThan(1_000_000);
  await expect(requireOneHistory(server)).rejects.toThrow("ends at order 12, but");
});

test("nothing is copied while a service has either ledger", async () => {
  const { dataDir, file, server } = await fileAndServer();
  const unlock = await chosenLedgerStore(file).lock();
  await expect(copyLedger(file, server)).rejects.toThrow(
    `${catalogFile(dataDir)} is used by a running service: stop the catalog first`,
  );
  await unlock();
  await chosenLedgerStore(server).migrate();
  const release = await chosenLedgerStore(server).lock();
  await expect(copyLedger(file, server)).rejects.toThrow(`${server.ledgerUrl} is used by a running service`);
  await release();
  expect(await copyLedger(file, server)).toMatchObject({ orders: 12, aside: expect.stringContaining("the schema") });
});

test("no copy is made of nothing, of itself, of a ledger that contradicts itself, or over another", async () => {
  const { dataDir, file, server } = await fileAndServer();
  await expect(copyLedger(file, databasesIn(dataDir))).rejects.toThrow("must be another ledger");
  await expect(copyLedger(server, file)).rejects.toThrow(`${server.ledgerUrl} is missing: there is nothing to copy`);
  const catalog = openCatalogDatabase(dataDir);
  catalog.client.exec("UPDATE stocks SET quantity = 57 WHERE name = 'BoarCo'");
  await expect(copyLedger(file, server)).rejects.toThrow(
    /column quantity must be .* = 50 \(got 57\): a ledger must be/,
  );
  catalog.client.exec("UPDATE stocks SET quantity = 50 WHERE name = 'BoarCo'");
  catalog.close();
  await copyLedger(file, server);
  await expect(copyLedger(file, server)).rejects.toThrow(/must have no ledger, or one that was never used \(it has 12/);
});

test("a file is made in a folder that isn't there yet", async () => {
  const { dataDir, file, server } = await fileAndServer();
  await copyLedger(file, server);
  const to = { dataDir: join(dataDir, "new") };
  expect(await copyLedger(server, to)).toMatchObject({ orders: 12 });
  expect(existsSync(join(to.dataDir, "stocks.csv"))).toBe(true);
});
