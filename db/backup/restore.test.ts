import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";
import type { Trade } from "@stock-bazaar/shared/domain";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createdAt, tradeOf } from "../../test/support/builders.ts";
import { newPostgresDatabase, runSql } from "../../test/support/postgres.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { tradedCopies } from "../../test/support/traded-copies.ts";
import { databasesIn, makeTradedDatabases } from "../../test/support/traded-databases.ts";
import { keptStocksFile } from "../kept-stocks.ts";
import { migrateAll, migrateReplica } from "../migrate.ts";
import { requireOneHistory } from "../recovery/history.ts";
import { rebuildCatalogIfSafe } from "../recovery/rebuild-catalog.ts";
import type { ReplicaService } from "../recovery/replica-services.ts";
import type { Databases } from "../recovery/replicas-here.ts";
import { verify } from "../recovery/verify.ts";
import { seed } from "../seed.ts";
import { makeBackup } from "./make-backup.ts";
import { begin, finish, makeWorkshop } from "./put-back.ts";
import { bringUpInPlace, finishBegunRestore, restoreBackup, type RestoreOptions } from "./restore.ts";

const traded = tradedCopies();
const at = new Date("2026-11-30T08:00:00.123Z");
let dataDir: string;
let databases: Databases;
let backup: string;

/** Databases with 12 orders, and a backup of them. */
beforeEach(async () => {
  dataDir = traded.copy();
  databases = databasesIn(dataDir);
  const to = temporaryFolder();
  backup = (await makeBackup(databases, { to, at, isCatalogElsewhere: false })).folder;
});

const restore = (options: Partial<RestoreOptions> = {}) => restoreBackup(databases, backup, { at, ...options });
const outcomes = async (which = databases) =>
  (await verify(which)).map(({ promise, outcome }) => `${promise} ${outcome}`);
const allKept = ["I1 kept", "I2 kept", "I3 kept", "I3 kept", "I3 kept"];

/** Trades in the ledger and in these replicas. Returns the outcomes. */
async function tradeOn(trades: readonly Trade[], replicas = [1, 2, 3], which = databases) {
  const ledger = await chosenLedgerStore(which).open();
  const { term, head } = await ledger.register();
  const last = (await ledger.ordersAfter(head - 1, 1)).at(0);
  await ledger.acquire({ replica: 1, term, last });
  const { outcomes: decided, orders } = await ledger.apply({ term: term + 1, last, trades, createdAt });
  await ledger.close();
  for (const id of replicas) {
    const log = createSqliteOrderLog(new ReplicaFile(dataDir, id).open());
    await log.append(orders);
    await log.close();
  }
  return decided;
}

const more = [tradeOf("more-1", { quantity: 7 }), tradeOf("more-2", { name: "FishCo", type: "sell" })];

function change(id: number, sql: string): void {
  const database = id === 0 ? openCatalogDatabase(dataDir) : new ReplicaFile(dataDir, id).open();
  database.client.exec(sql);
  database.close();
}

function lose(...files: readonly string[]): void {
  for (const file of files) for (const end of ["", "-wal", "-shm"]) rmSync(`${file}${end}`, { force: true });
}

const loseCatalog = () => lose(catalogFile(dataDir));
const contents = () =>
  chosenLedgerStore(databases).read(async (view) => ({
    orders: await view.ordersAfter(0, 100),
    stocks: await view.stocksFrom({ start: "", inclusive: true, limit: 100 }),
    register: await view.register(),
    leases: await view.leases(),
  }));
/** The names in DATA_DIR, without what SQLite and the locks keep beside the databases. */
const names = () =>
  readdirSync(dataDir)
    .filter((name) => !/-(wal|shm|lock)$/.test(name))
    .toSorted();

describe("a backup that the replicas are ahead of", () => {
  test("is brought up from them: every order is there, and the next one gets the next number", async () => {
    await tradeOn(more, [2]);
    const before = await contents();
    loseCatalog();
    const restored = await restore();
    expect(restored).toMatchObject({
      before: 12,
      orders: 14,
      replica: orderFile(dataDir, 2),
      aside: [],
      missing: [],
      notWhole: [],
    });
    const now = await contents();
    expect(now).toMatchObject({ orders: before.orders, stocks: before.stocks, leases: { endedCleanly: false } });
    // A new life, in which no number of the lost ledger is awaited, and a term that it can't have given out.
    expect(now.register.life).not.toBe(before.register.life);
    expect(now.register).toMatchObject({ leader: 0, firstTerm: now.register.term });
    expect(now.register.term).toBeGreaterThan(before.register.term + 999_999);
    expect(await outcomes()).toEqual(allKept);
    expect(await tradeOn([tradeOf("new")], [2])).toEqual([{ status: "accepted", orderId: 15, replayed: false }]);
    expect(names()).toEqual(["catalog.db", "order-1.db", "order-2.db", "order-3.db", "stocks.csv"]);
  });

  test("keeps the rejections that it has, and the outcome of each key", async () => {
    await tradeOn(more);
    loseCatalog();
    await restore();
    const again = await tradeOn(
      [tradeOf("no", { quantity: 1_000_000 }), ...more, tradeOf("key-1", { quantity: 77 })],
      [],
    );
    expect(again).toMatchObject([
      { status: "rejected", replayed: true },
      { status: "accepted", orderId: 13, replayed: true },
      { status: "accepted", orderId: 14, replayed: true },
      { status: "key-reused" },
    ]);
  });

  test("forgets the rejection of a key that was accepted later, when its rejection had been forgotten", async () => {
    change(0, "DELETE FROM rejections");
    const accepted = tradeOf("no", { quantity: 1 });
    await tradeOn([accepted]);
    loseCatalog();
    await restore();
    expect(await tradeOn([accepted], [])).toEqual([{ status: "accepted", orderId: 13, replayed: true }]);
  });

  test("gets the stocks that were added since, from their copy or from a file", async () => {
    const file = join(temporaryFolder(), "later.csv");
    writeFileSync(file, "name,price,quantity\nLater,2.50,9\n");
    await seed(databases, file);
    await tradeOn([tradeOf("later", { name: "Later", quantity: 4 })]);
    const { stocks } = await contents();
    loseCatalog();
    const kept = readFileSync(keptStocksFile(dataDir));
    rmSync(keptStocksFile(dataDir));
    await expect(restore()).rejects.toThrow(/order 13 trades "Later", which is not a stock.*--file my\.csv/);
    expect(await restore({ stocksFile: file })).toMatchObject({ orders: 13, stocksAdded: 1 });
    expect((await contents()).stocks).toEqual(stocks);
    expect(readFileSync(keptStocksFile(dataDir))).toEqual(kept);

    loseCatalog();
    expect(await restore()).toMatchObject({ orders: 13, stocksAdded: 1 });
    expect(await outcomes()).toEqual(allKept);
  });

  test("leaves out the stocks of another ledger, whose copy is put aside", async () => {
    writeFileSync(keptStocksFile(dataDir), "name,price,quantity\nForeign,1.00,1\n");
    loseCatalog();
    const { aside } = await restore();
    expect(aside).toEqual([join(dataDir, "stocks-2026-11-30T08-00-00.123Z.csv")]);
    expect((await contents()).stocks.map(({ name }) => name)).not.toContain("Foreign");
    expect(readFileSync(keptStocksFile(dataDir))).toEqual(readFileSync(join(backup, "stocks.csv")));
  });

  test("takes a price that was changed by hand from the stock's last order", async () => {
    change(0, "UPDATE stocks SET price_cents = 4711 WHERE name = 'GameStart'");
    await tradeOn(more);
    loseCatalog();
    await restore();
    expect((await contents()).stocks).toContainEqual(expect.objectContaining({ name: "GameStart", priceCents: 4711 }));
  });

  test("says which replicas may lack orders, and which are missing", async () => {
    change(1, "UPDATE replica SET boot_id = 'another', synced = 0");
    lose(orderFile(dataDir, 3));
    loseCatalog();
    expect(await restore()).toMatchObject({ notWhole: [orderFile(dataDir, 1)], missing: [orderFile(dataDir, 3)] });
  });

  test("--dry-run changes nothing", async () => {
    await tradeOn(more);
    loseCatalog();
    const before = names();
    expect(await restore({ dryRun: true })).toMatchObject({ orders: 14, placed: [] });
    expect(names()).toEqual(before);
  });
});

describe("nothing is restored, and nothing changes, if", () => {
  async function expectRefused(message: RegExp, options: Partial<RestoreOptions> = {}): Promise<void> {
    const before = names();
    await expect(restore(options)).rejects.toThrow(message);
    expect(names()).toEqual(before);
  }

  test("the ledger is correct", async () => {
    await expectRefused(/catalog\.db is correct and has all 12 orders/);
  });

  test("the ledger has orders that no replica has", async () => {
    await tradeOn(more, []);
    await expectRefused(/only .*catalog\.db has the orders from 13 to 14: move it elsewhere/);
  });

  test("the ledger is another one", async () => {
    change(0, "UPDATE ledger SET created_at = 'x' WHERE id = 12; DELETE FROM rejections");
    await expectRefused(/catalog\.db and the backup hold different orders with the number 12/);
  });

  test.each(["catalog.db", "order-1.db", "stocks.csv"])("%s of the backup is damaged", async (name) => {
    loseCatalog();
    const file = join(backup, name);
    const content = readFileSync(file);
    content[content.length - 9] = (content[content.length - 9] ?? 0) ^ 1;
    writeFileSync(file, content);
    await expectRefused(new RegExp(`${name} is damaged: it must have \\d+ bytes, SHA-256 \\w+ \\(got`));
  });

  test("a replica contradicts it, at its end or before", async () => {
    loseCatalog();
    change(2, "UPDATE orders SET quantity = 9 WHERE id = 4");
    await expectRefused(/order 4, column quantity: .*order-2\.db has 9.*: move the wrong one elsewhere/);
  });

  test("two replicas contradict each other after it", async () => {
    await tradeOn(more);
    change(3, "UPDATE orders SET created_at = 'x' WHERE id = 13");
    loseCatalog();
    await expectRefused(/order 13, column created_at/);
  });

  test("a replica can't be read", async () => {
    loseCatalog();
    lose(orderFile(dataDir, 2));
    writeFileSync(orderFile(dataDir, 2), "not a database, and longer than a header");
    await expect(restore()).rejects.toThrow(/order-2\.db is not a SQLite database|order-2\.db can't be read/);
    expect(existsSync(catalogFile(dataDir))).toBe(false);
  });

  test("a service runs", async () => {
    loseCatalog();
    const unlock = new ReplicaFile(dataDir, 3).lockIfFree();
    await expectRefused(/order-3\.db is held by a running service/);
    unlock?.();
    await restore();
  });

  test("a replica is on another machine and isn't asked", async () => {
    loseCatalog();
    lose(orderFile(dataDir, 2));
    const replicas = new Map([...databases.replicas, [2, { host: "order-2", port: 6001 }] as const]);
    databases = { ...databases, replicas };
    await expectRefused(/replica 2 at order-2:6001 is on another machine, .*--from-services/);
  });

  test("LEDGER_URL names a server", async () => {
    databases = { ...databases, ledgerUrl: "postgres://localhost/x" };
    await expectRefused(/holds a catalog\.db, but LEDGER_URL names/);
  });
});

describe("what is there is put aside:", () => {
  test("an old copy of the ledger, with its log", async () => {
    await tradeOn(more);
    change(0, "DELETE FROM ledger WHERE id > 11; UPDATE register SET head = 11");
    const { aside } = await restore();
    expect(aside).toEqual([join(dataDir, "catalog-2026-11-30T08-00-00.123Z.db")]);
    expect(await outcomes()).toEqual(allKept);
    expect((await contents()).orders).toHaveLength(14);
  });

  test("a damaged one, and one without orders", async () => {
    lose(catalogFile(dataDir));
    writeFileSync(catalogFile(dataDir), "not a database, and longer than a header");
    expect((await restore()).aside).toHaveLength(1);
    dataDir = temporaryFolder();
    databases = databasesIn(dataDir);
    await migrateAll(databases);
    await seed(databases);
    expect(await restore({ at: new Date(0) })).toMatchObject({
      orders: 12,
      aside: [expect.stringContaining("catalog-1970")],
    });
    expect(await outcomes()).toEqual(allKept);
  });
});

describe("the replica of the backup", () => {
  test("is put back where its file is lost, and isn't taken for one that has everything", async () => {
    await tradeOn(more);
    for (const id of [1, 2, 3]) lose(orderFile(dataDir, id));
    loseCatalog();
    const { placed } = await restore();
    expect(placed).toEqual([keptStocksFile(dataDir), catalogFile(dataDir), orderFile(dataDir, 1)]);
    expect(new ReplicaFile(dataDir, 1).end()).toMatchObject({ lastId: 12, isWhole: false });
    for (const id of [2, 3]) cpSync(orderFile(dataDir, 1), orderFile(dataDir, id));
    // Two orders that were acknowledged are gone: no catalog may be rebuilt of this unattended.
    loseCatalog();
    await expect(rebuildCatalogIfSafe(databases)).rejects.toThrow("the last acknowledged orders may be missing");
  });

  test("is not put over one that is there", async () => {
    await tradeOn(more);
    loseCatalog();
    const { placed } = await restore();
    expect(placed).toEqual([keptStocksFile(dataDir), catalogFile(dataDir)]);
    expect(new ReplicaFile(dataDir, 1).end()).toMatchObject({ lastId: 14 });
  });

  test("alone, without a ledger in the backup", async () => {
    loseCatalog();
    const to = temporaryFolder();
    backup = (await makeBackup(databases, { to, at, isCatalogElsewhere: true })).folder;
    await expect(restore()).rejects.toThrow("order-1.db exists: a replica catches up by itself");
    lose(orderFile(dataDir, 1));
    expect(await restore()).toMatchObject({ ledger: undefined, placed: [orderFile(dataDir, 1)] });
    expect(new ReplicaFile(dataDir, 1).end()).toMatchObject({ lastId: 12, isWhole: false });
  });
});

describe("a restore that was interrupted while it put files in place", () => {
  /** Stops after `steps` of: the decision, the old log aside, the old file aside, the new file in place. */
  async function interrupted(steps: number): Promise<string> {
    await tradeOn(more);
    change(0, "DELETE FROM ledger WHERE id > 11; UPDATE register SET head = 11");
    lose(orderFile(dataDir, 1));
    const workshop = makeWorkshop(dataDir);
    for (const name of ["catalog.db", "order-1.db", "stocks.csv"]) cpSync(join(backup, name), join(workshop, name));
    const begun = begin(workshop, dataDir, at);
    const file = catalogFile(dataDir);
    const aside = join(dataDir, "catalog-2026-11-30T08-00-00.123Z.db");
    writeFileSync(`${file}-wal`, "the old log");
    if (steps > 0) renameSync(`${file}-wal`, `${aside}-wal`);
    if (steps > 1) renameSync(file, aside);
    if (steps > 2) cpSync(join(begun, "catalog.db"), file);
    if (steps > 2) rmSync(join(begun, "catalog.db"));
    return begun;
  }

  test.each([0, 1, 2, 3])("lets nothing begin until it is finished, after step %i", async (steps) => {
    await interrupted(steps);
    const named = /restore-begun-\S+ holds the files of a restore that was interrupted: run `npm run restore`/;
    await expect(requireOneHistory(databases)).rejects.toThrow(named);
    await expect(migrateAll(databases)).rejects.toThrow(named);
    await expect(migrateReplica(databases, 1)).rejects.toThrow(named);
    await expect(rebuildCatalogIfSafe(databases)).rejects.toThrow(named);
    const before = names();
    await expect(restore()).rejects.toThrow(named);
    expect(names()).toEqual(before);

    const finished = await finishBegunRestore(databases);
    expect(finished?.aside).toEqual([join(dataDir, "catalog-2026-11-30T08-00-00.123Z.db")]);
    // Beside its database, SQLite has dropped a log without a header when it was looked at.
    if (steps > 0) expect(readFileSync(`${finished?.aside[0]}-wal`, "utf8")).toBe("the old log");
    expect(readFileSync(catalogFile(dataDir)).equals(readFileSync(join(backup, "catalog.db")))).toBe(true);
    expect(existsSync(orderFile(dataDir, 1))).toBe(true);
    expect(names().filter((name) => name.startsWith("rest"))).toEqual([]);
    expect(await finishBegunRestore(databases)).toBeUndefined();
    expect(await bringUpInPlace(databases, { at })).toMatchObject({ before: 12, orders: 14 });
    expect(await outcomes()).toEqual(allKept);
  });

  test("is finished once more from the very end, when only its folder is left", async () => {
    const begun = await interrupted(3);
    finish(begun, dataDir);
    cpSync(catalogFile(dataDir), join(dataDir, "copy"));
    expect(existsSync(begun)).toBe(false);
    expect(names()).not.toContain("restoring-");
  });
});

/** Services of the replicas whose files are in `folder`. */
function servicesIn(folder: string): ReplicaService[] {
  return [1, 2, 3].map((id) => {
    const log = createSqliteOrderLog(new ReplicaFile(folder, id).open());
    onTestFinished(() => log.close());
    return {
      name: `replica ${id} at order-${id}:6001`,
      readCopy: async (after, limit) => ({
        orders: await log.after(after, limit),
        lastId: (await log.newest(0, 1))[0]?.id ?? 0,
        isWhole: true,
      }),
    };
  });
}

describe("replicas on other machines", () => {
  test("are asked: the ledger is brought up from the longest, and no replica is put back here", async () => {
    await tradeOn(more, [2]);
    const services = servicesIn(dataDir);
    const here = { ...databases, dataDir: temporaryFolder() };
    const restored = await restoreBackup(here, backup, { at, services });
    expect(restored).toMatchObject({ orders: 14, replica: "replica 2 at order-2:6001", notWhole: [] });
    expect(readdirSync(here.dataDir).filter((name) => name.startsWith("order-"))).toEqual([]);
  });

  test("must all answer, and must get no order meanwhile", async () => {
    await tradeOn(more, [2]);
    const services = servicesIn(dataDir);
    const here = { ...databases, dataDir: temporaryFolder() };
    const silent = { name: "replica 9 at order-9:6001", readCopy: () => Promise.reject(new Error("no answer")) };
    await expect(restoreBackup(here, backup, { at, services: [...services, silent] })).rejects.toThrow(
      /replica 9 at order-9:6001 can't be read: no answer, and may hold orders/,
    );
    let reads = 0;
    const growing = services.map((service) => ({
      ...service,
      readCopy: async (after: number, limit: number) => {
        const page = await service.readCopy(after, limit);
        return limit === 0 && (reads += 1) > 3 ? { ...page, lastId: page.lastId + 9 } : page;
      },
    }));
    await expect(restoreBackup(here, backup, { at, services: growing })).rejects.toThrow("a catalog still runs");
    expect(existsSync(catalogFile(here.dataDir))).toBe(false);
  });
});

describe("a ledger that another tool has restored", () => {
  test("is brought up where it is", async () => {
    await tradeOn(more);
    cpSync(join(backup, "catalog.db"), catalogFile(dataDir));
    lose(`${catalogFile(dataDir)}-`);
    expect(await bringUpInPlace(databases, { at, dryRun: true })).toMatchObject({ before: 12, orders: 14 });
    expect((await contents()).orders).toHaveLength(12);
    await bringUpInPlace(databases, { at });
    expect((await contents()).orders).toHaveLength(14);
    expect(await outcomes()).toEqual(allKept);
  });

  test("is brought up on PostgreSQL too, after a recovery to an earlier time", async () => {
    dataDir = temporaryFolder();
    const url = await newPostgresDatabase();
    await makeTradedDatabases(dataDir, 12, undefined, url);
    databases = databasesIn(dataDir, url);
    await runSql(url, "CREATE TABLE IF NOT EXISTS public.was AS SELECT name, quantity, volume, rev FROM bazaar.stocks");
    onTestFinished(() => runSql(url, "DROP TABLE IF EXISTS public.was"));
    await tradeOn(more, [2]);
    const before = await contents();
    await runSql(
      url,
      `DELETE FROM bazaar.ledger WHERE id > 12; UPDATE bazaar.register SET head = 12;
       UPDATE bazaar.stocks AS now SET quantity = was.quantity, volume = was.volume, rev = was.rev FROM public.was AS was
       WHERE was.name = now.name`,
    );
    await expect(requireOneHistory(databases)).rejects.toThrow("npm run restore");
    expect(await bringUpInPlace(databases, { at })).toMatchObject({ before: 12, orders: 14 });
    expect(await contents()).toMatchObject({ orders: before.orders, stocks: before.stocks });
    expect(await outcomes()).toEqual(allKept);
    expect(await tradeOn([tradeOf("new")], [])).toMatchObject([{ status: "accepted", orderId: 15 }]);
  });

  test("must be there, and must be sound", async () => {
    change(0, "UPDATE stocks SET volume = volume + 1");
    await expect(bringUpInPlace(databases, { at })).rejects.toThrow(/a ledger must be sound before it is continued/);
    loseCatalog();
    await expect(bringUpInPlace(databases, { at })).rejects.toThrow(/catalog\.db is missing: name the backup/);
  });
});
