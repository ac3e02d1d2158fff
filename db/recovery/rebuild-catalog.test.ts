import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { damageTable } from "../../test/support/damage.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { databasesIn } from "../../test/support/traded-databases.ts";
import { tradedCopies } from "../../test/support/traded-copies.ts";
import { initialStocks, ledger, register, rejections, stocks } from "@stock-bazaar/ledger/sqlite/tables";
import { HistoryError, requireOneHistory } from "./history.ts";
import { type Databases, replicasHere } from "./replicas-here.ts";
import { migrateAll } from "../migrate.ts";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { rebuildCatalog, rebuildCatalogIfSafe } from "./rebuild-catalog.ts";
import { lockForService } from "@stock-bazaar/sqlite/service-lock";
import { keptStocksFile } from "../kept-stocks.ts";
import { seed } from "../seed.ts";
import { verify } from "./verify.ts";
import { queryCatalog } from "@stock-bazaar/ledger/sqlite/query";

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const traded = tradedCopies();
let dataDir: string;
let databases: Databases;
let catalog: string;

afterEach(() => vi.restoreAllMocks());

beforeEach(() => {
  // A time below all terms, so the terms decide.
  vi.spyOn(Date, "now").mockReturnValue(0);
  dataDir = traded.copy();
  databases = databasesIn(dataDir);
  catalog = catalogFile(dataDir);
});

function contents(folder = dataDir) {
  const database = openCatalogDatabase(folder, "read");
  const db = queryCatalog(database);
  const all = {
    stocks: db.select().from(stocks).orderBy(stocks.name).all(),
    initialStocks: db.select().from(initialStocks).orderBy(initialStocks.name).all(),
    ledger: db.select().from(ledger).all(),
    register: db.select().from(register).get(),
    rejections: db.select().from(rejections).all().length,
  };
  database.close();
  return all;
}

/** `replica` 0 is the catalog. */
function change(replica: number, sql: string): void {
  const database = replica === 0 ? openCatalogDatabase(dataDir) : openOrderDatabase(dataDir, replica);
  database.client.exec(sql);
  database.close();
}

const differences = async () => (await verify(databases)).flatMap((check) => check.differences);
/**
 * The register of a new life: a term above every used one, and no known lease, as the previous catalog granted none.
 */
const rebuiltRegister = (usedTerm: number) => {
  const term = usedTerm + 1_000_000;
  return { term, leader: 0, head: 12, life: expect.stringMatching(uuid), firstTerm: term, leaseMs: 0, endedCleanly: 0 };
};
const rebuiltContents = () => ({
  ...contents(traded.original),
  register: rebuiltRegister(3),
  rejections: 0,
});

describe("a catalog that is missing", () => {
  test("is rebuilt from the longest replica, and equals the original except for the rejections", async () => {
    rmSync(catalog);
    change(1, "DELETE FROM orders WHERE id > 4");
    change(3, "DELETE FROM orders");
    expect(contents(traded.original).rejections).toBe(1);

    expect(await rebuildCatalog(databases)).toEqual({
      file: catalog,
      orders: 12,
      replica: orderFile(dataDir, 2),
      stocks: keptStocksFile(dataDir),
      aside: undefined,
      missing: [],
      notWhole: [],
    });

    expect(contents()).toEqual(rebuiltContents());
    expect(contents().register?.life).not.toBe(contents(traded.original).register?.life);
    expect(await differences()).toEqual([]);
    expect(readdirSync(dataDir).filter((name) => name.includes("rebuilding"))).toEqual([]);
  });

  test("doesn't use the WAL that it left behind", async () => {
    const service = openCatalogDatabase(dataDir);
    service.client.exec("UPDATE stocks SET quantity = 77");
    // As if the process were killed after the deletion.
    const log = readFileSync(`${catalog}-wal`);
    service.close();
    expect(log.length).toBeGreaterThan(0);
    rmSync(catalog);
    writeFileSync(`${catalog}-wal`, log);
    const { aside } = await rebuildCatalog(databases);
    expect(contents()).toEqual(rebuiltContents());
    expect(readFileSync(`${aside}-wal`)).toEqual(log);
  });

  test("is rebuilt after a rebuild that was killed at any point", async () => {
    // Killed while it built the new file, after the old one was moved aside.
    rmSync(catalog);
    mkdirSync(join(dataDir, "rebuilding-catalog-killed"));
    writeFileSync(join(dataDir, "rebuilding-catalog-killed", "catalog.db"), "half a catalog");
    await rebuildCatalog(databases);
    expect(contents()).toEqual(rebuiltContents());
    expect(existsSync(join(dataDir, "rebuilding-catalog-killed"))).toBe(false);

    // Killed after the new file got its name: the file then has a second name, which does no harm.
    mkdirSync(join(dataDir, "rebuilding-catalog-killed"));
    linkSync(catalog, join(dataDir, "rebuilding-catalog-killed", "catalog.db"));
    await expect(rebuildCatalog(databases)).rejects.toThrow("nothing to mend");
    await migrateAll(databases);
    expect(contents()).toEqual(rebuiltContents());
  });

  test("gets the initial stocks that it was seeded with, or those of a given file", async () => {
    change(0, "UPDATE stocks SET quantity = quantity + 11; UPDATE initial_stocks SET quantity = quantity + 11");
    const own = join(dataDir, "own.csv");
    writeFileSync(own, readFileSync(keptStocksFile(dataDir), "utf8").replaceAll(",100\n", ",111\n"));
    rmSync(catalog);
    await rebuildCatalog(databases, own);
    expect(contents().initialStocks.every(({ quantity }) => quantity === 111)).toBe(true);
    // From now on, these are its initial stocks.
    rmSync(catalog);
    await rebuildCatalog(databases);
    expect(contents().initialStocks.every(({ quantity }) => quantity === 111)).toBe(true);
    rmSync(catalog);
    rmSync(keptStocksFile(dataDir));
    await rebuildCatalog(databases);
    expect(contents()).toEqual(rebuiltContents());
  });

  test("isn't rebuilt from stocks that the orders contradict, and nothing is changed", async () => {
    rmSync(catalog);
    const wrong = join(dataDir, "wrong.csv");
    writeFileSync(wrong, "name,price,quantity\nGameStart,15.99,100\nFishCo,8.50,100\n");
    const files = () => readdirSync(dataDir).filter((name) => !/-(shm|wal|lock)$/.test(name));
    const before = files();
    await expect(rebuildCatalog(databases, wrong)).rejects.toThrow(
      /order-1\.db and .*wrong\.csv don't belong together: order 11 trades "BoarCo".*--file my\.csv/,
    );
    expect(files()).toEqual(before);
  });

  test("isn't rebuilt from replicas that contradict each other, and both are named", async () => {
    rmSync(catalog);
    change(2, "UPDATE orders SET quantity = 2 WHERE id = 7");
    await expect(rebuildCatalog(databases)).rejects.toThrow(
      /the replicas contradict each other: order 7, column quantity: .*order-2\.db has 2, .*order-1\.db has 1: /,
    );
    expect(existsSync(catalog)).toBe(false);
  });

  test("isn't rebuilt beside an unreadable replica; a missing one is named but doesn't prevent it", async () => {
    rmSync(catalog);
    writeFileSync(orderFile(dataDir, 2), "rubbish".repeat(1000));
    await expect(rebuildCatalog(databases)).rejects.toThrow(orderFile(dataDir, 2));
    expect(existsSync(catalog)).toBe(false);
    rmSync(orderFile(dataDir, 2));
    expect((await rebuildCatalog(databases)).missing).toEqual([orderFile(dataDir, 2)]);
  });

  test.each([
    ["at the start", 3],
    ["in the middle", 3],
    ["in the middle", 1],
    ["at the end", 3],
  ] as const)(
    "isn't rebuilt while a page %s of replica %i is damaged: its orders may be the only copy",
    async (place, id) => {
      const rows = Array.from(
        { length: 500 },
        (_, row) => `(${row + 13}, 'key ${row}', 'FishCo', 'sell', 1, 1, 1, '')`,
      );
      for (const each of [1, 2, 3]) change(each, `INSERT INTO orders VALUES ${rows.join()}`);
      damageTable(orderFile(dataDir, id), "orders", place);
      rmSync(catalog);
      const refused = `${orderFile(dataDir, id)} can't be read (database disk image is malformed), and may hold orders that no other`;
      await expect(rebuildCatalog(databases)).rejects.toThrow(refused);
      expect(existsSync(catalog)).toBe(false);
    },
  );

  test("isn't rebuilt without a replica", async () => {
    for (const file of readdirSync(dataDir)) rmSync(join(dataDir, file));
    await expect(rebuildCatalog(databases)).rejects.toThrow("holds no replica");
  });
});

describe("a catalog that is there", () => {
  test("and correct is left alone, even if a replica is behind or differs from all others", async () => {
    change(1, "DELETE FROM orders WHERE id > 4");
    change(2, "UPDATE orders SET quantity = 2 WHERE id = 7");
    await expect(rebuildCatalog(databases)).rejects.toThrow("nothing to mend");
    expect(contents()).toEqual(contents(traded.original));
  });

  test.each([
    ["behind", "DELETE FROM ledger WHERE id > 9; UPDATE register SET head = 9, term = 50"],
    ["another ledger", "UPDATE ledger SET key = 'x' || id"],
    ["contradicting itself", "UPDATE stocks SET quantity = quantity + 1"],
    ["contradicting every replica", "UPDATE ledger SET created_at = '' WHERE id = 2"],
  ])("but %s is moved aside unchanged and rebuilt", async (_case, sql) => {
    change(0, sql);
    const wrong = contents();
    const { aside = "" } = await rebuildCatalog(databases);
    expect(contents()).toEqual({ ...rebuiltContents(), register: rebuiltRegister(wrong.register?.term ?? 0) });
    expect(contents().register?.life).not.toBe(wrong.register?.life);
    expect(await differences()).toEqual([]);

    const elsewhere = temporaryFolder();
    cpSync(aside, catalogFile(elsewhere));
    expect(contents(elsewhere)).toEqual(wrong);
  });

  test.each([
    ["no database", () => writeFileSync(catalog, "my shopping list\n".repeat(100))],
    ["an empty file", () => truncateSync(catalog)],
  ])("but %s is moved aside and rebuilt", async (_case, spoil) => {
    spoil();
    expect((await rebuildCatalog(databases)).aside).toMatch(/catalog-.*\.db$/);
    expect(contents()).toEqual(rebuiltContents());
  });

  test("and wrong, but with orders that no replica has, is kept: they would be lost", async () => {
    change(0, "UPDATE stocks SET quantity = quantity + 1");
    for (const id of [1, 2, 3]) change(id, "DELETE FROM orders WHERE id > 10");
    await expect(rebuildCatalog(databases)).rejects.toThrow(/only the ledger has the orders from 11 to 12/);
    expect(existsSync(catalog)).toBe(true);
  });
});

describe("unattended", () => {
  test("a missing catalog is rebuilt if every replica is there", async () => {
    rmSync(catalog);
    expect((await rebuildCatalogIfSafe(databases)).orders).toBe(12);
    expect(contents()).toEqual(rebuiltContents());
  });

  test.each([
    ["a replica is missing", () => rmSync(orderFile(dataDir, 2)), /so is .*order-2\.db/],
    [
      "a replica is broken",
      () => writeFileSync(orderFile(dataDir, 2), "x".repeat(999)),
      /order-2\.db can't be read \(file is not a database\), and may/,
    ],
    ["a replica is new", () => change(2, "DELETE FROM orders"), /order-2\.db is empty, as if it were new/],
    [
      "a replica may lack its last orders, because the machine has started again since",
      () => change(2, "UPDATE replica SET boot_id = 'another', synced = 0"),
      /the last acknowledged orders may be missing in .*order-2\.db, which may not have caught up since a power cut or since they were created: put the catalog back, .* to go on without these orders/,
    ],
    [
      "all replicas are empty and may have had orders",
      () => {
        for (const id of [1, 2, 3]) change(id, "DELETE FROM orders; UPDATE replica SET boot_id = '', synced = 0");
      },
      /order-1\.db, .*order-2\.db, .*order-3\.db, which may not/,
    ],
    ["replicas contradict each other", () => change(2, "UPDATE orders SET term = 9 WHERE id = 1"), /contradict/],
    ["the copy of the initial stocks is missing", () => rmSync(keptStocksFile(dataDir)), /so is .*stocks\.csv/],
  ])("but not if %s", async (_case, spoil, message) => {
    rmSync(catalog);
    spoil();
    await expect(rebuildCatalogIfSafe(databases)).rejects.toThrow(message);
    expect(existsSync(catalog)).toBe(false);
  });
});

test("a person rebuilds a catalog from replicas that may lack their last orders, and learns which", async () => {
  rmSync(catalog);
  change(2, "UPDATE replica SET boot_id = 'another', synced = 0");
  expect(await rebuildCatalog(databases)).toMatchObject({ orders: 12, notWhole: [orderFile(dataDir, 2)] });
});

test("a catalog is missing, not new, beside an empty replica that may have had orders", async () => {
  rmSync(catalog);
  for (const id of [1, 2, 3]) change(id, "DELETE FROM orders");
  await migrateAll(databases);
  rmSync(catalog);
  change(3, "UPDATE replica SET boot_id = '', synced = 0");
  await expect(migrateAll(databases)).rejects.toThrow(/order-3\.db may have lost its orders: run/);
  expect(existsSync(catalog)).toBe(false);
});

test.each([
  ["by a person", () => rebuildCatalog(databases)],
  ["unattended", () => rebuildCatalogIfSafe(databases)],
])("beside a running catalog or replica, on any port, nothing is rebuilt %s", async (_case, remake) => {
  rmSync(catalog);
  for (const file of [catalog, orderFile(dataDir, 2)]) {
    const unlock = lockForService(file);
    await expect(remake()).rejects.toThrow(
      `${file} is held by a running service, or by another rebuild: stop everything first`,
    );
    expect(existsSync(catalog)).toBe(false);
    unlock();
  }
  expect((await remake()).orders).toBe(12);
  lockForService(catalog)();
});

test("two replicas that are links to one file are named, and not mistaken for running ones", async () => {
  rmSync(catalog);
  rmSync(orderFile(dataDir, 2));
  symlinkSync("order-1.db", orderFile(dataDir, 2));
  const message = `${orderFile(dataDir, 1)} and ${orderFile(dataDir, 2)} must be two files`;
  await expect(rebuildCatalog(databases)).rejects.toThrow(message);
  await expect(rebuildCatalogIfSafe(databases)).rejects.toThrow(message);
});

test("a replica that was removed from the configuration still counts: it may be the longest", async () => {
  rmSync(catalog);
  for (const id of [1, 2]) change(id, "DELETE FROM orders WHERE id > 4");
  const without3 = { ...databases, replicas: new Map([...databases.replicas].filter(([id]) => id !== 3)) };
  await expect(requireOneHistory(without3)).rejects.toThrow(/catalog\.db is missing/);
  expect(await rebuildCatalogIfSafe(without3)).toMatchObject({ orders: 12, replica: orderFile(dataDir, 3) });
  expect((await verify(without3)).map(({ file }) => file)).toContain(orderFile(dataDir, 3));

  change(0, "DELETE FROM ledger WHERE id = 12; UPDATE register SET head = 11");
  await expect(requireOneHistory(without3)).rejects.toThrow(/ends at order 11, but .*order-3\.db goes on to order 12/);
  // These aren't files of replicas, though their names are similar.
  for (const name of ["order-0.db", "order-x.db", "order-3.db.wrong"]) writeFileSync(join(dataDir, name), "x");
  expect(replicasHere(without3).map(({ id }) => id)).toEqual([1, 2, 3]);
});

test("a missing folder is named", async () => {
  const nowhere = join(dataDir, "nowhere");
  await expect(rebuildCatalog(databasesIn(nowhere))).rejects.toThrow(
    `DATA_DIR must be a folder that this user can create and write (got ${JSON.stringify(nowhere)}): `,
  );
  expect(existsSync(nowhere)).toBe(false);
});

describe("one history", () => {
  const problem = async () => {
    try {
      await requireOneHistory(databases);
      return undefined;
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error;
      return `${error.problem}: ${error.message.replaceAll(`${dataDir}/`, "")}`;
    }
  };

  test("is there if every replica ends with an order of the ledger, is new, or isn't here", async () => {
    change(1, "DELETE FROM orders WHERE id > 4");
    change(2, "DELETE FROM orders");
    rmSync(orderFile(dataDir, 3));
    expect(await problem()).toBeUndefined();
  });

  test.each([
    ["name", "'BoarCo'"],
    ["type", "'restock'"],
    ["quantity", "quantity + 1"],
    ["price_cents", "price_cents + 1"],
    ["term", "term + 1"],
    ["created_at", "'2025-01-01T00:00:00.000Z'"],
  ])("isn't there if a replica's last order differs in %s, even with the same key", async (column, other) => {
    change(1, `DELETE FROM orders WHERE id > 4; UPDATE orders SET ${column} = ${other} WHERE id = 4`);
    expect(await problem()).toMatch(
      /^diverged: catalog\.db and order-1\.db hold different orders with the number 4, .*npm run rebuild-catalog/,
    );
  });

  test("isn't there if the catalog is missing, behind or another one: each error names its command", async () => {
    change(0, "UPDATE ledger SET key = 'x' WHERE id = 12");
    expect(await problem()).toMatch(
      /^diverged: catalog\.db and order-1\.db hold different orders with the number 12, .*npm run rebuild-catalog/,
    );
    change(0, "DELETE FROM ledger WHERE id = 12");
    expect(await problem()).toBe(
      "behind: catalog.db ends at order 11, but order-1.db goes on to order 12: name the ledger that belongs to the replicas (LEDGER_URL, DATA_DIR) or put it back; if it is lost, stop everything and run `npm run rebuild-catalog`, or `npm run restore`, which continues this old one from the replicas",
    );
    rmSync(catalog);
    expect(await problem()).toBe(
      "lost: catalog.db is missing, but order-1.db holds 12 orders: run `npm run rebuild-catalog`",
    );
  });

  test.each(["at the start", "at the end"] as const)(
    "is unknown if the ledger has a damaged page %s: the file is named, and the named command repairs it",
    async (place) => {
      const rows = Array.from({ length: 500 }, (_, row) => `(${row + 13}, 'more ${row}', 'A', 'buy', 1, 1, 1, '')`);
      change(0, `INSERT INTO ledger VALUES ${rows.join()}`);
      damageTable(catalog, "ledger", place);
      await expect(problem()).rejects.toThrow(`${catalog} is damaged: run \`npm run rebuild-catalog\``);
      await rebuildCatalog(databases);
      expect(contents()).toEqual(rebuiltContents());
    },
  );

  test("isn't restarted by a migration beside unreadable replicas: they may hold orders", async () => {
    rmSync(catalog);
    for (const id of [1, 2, 3]) damageTable(orderFile(dataDir, id), "orders", "at the end");
    await expect(migrateAll(databases)).rejects.toThrow(
      `${catalog} is missing, and ${orderFile(dataDir, 1)} can't be read (database disk image is malformed), and may hold orders that no other replica has: put`,
    );
    expect(existsSync(catalog)).toBe(false);
    // An empty file is the same as a new replica.
    for (const id of [1, 2, 3]) truncateSync(orderFile(dataDir, id));
    expect(await migrateAll(databases)).toHaveLength(4);
  });

  test("isn't restarted with new replicas: without a catalog to refill it, no error advises to move a replica away", async () => {
    const file = orderFile(dataDir, 1);
    writeFileSync(file, "rubbish".repeat(1000));
    await expect(migrateAll(databases)).rejects.toThrow(
      `${file} is not a SQLite database: move it elsewhere, then run`,
    );
    rmSync(catalog);
    for (const action of [migrateAll, rebuildCatalog, rebuildCatalogIfSafe]) {
      await expect(action(databases)).rejects.toThrow(
        `${catalog} is missing, and ${file} can't be read (file is not a database), and may hold orders that no other`,
      );
    }
  });

  test("isn't restarted by a migration: it stops before it creates anything", async () => {
    for (const spoil of [() => truncateSync(catalog), () => rmSync(catalog)]) {
      spoil();
      rmSync(orderFile(dataDir, 2), { force: true });
      await expect(migrateAll(databases)).rejects.toThrow(HistoryError);
      expect(existsSync(orderFile(dataDir, 2))).toBe(false);
    }
    expect(existsSync(catalog)).toBe(false);
    change(1, "DELETE FROM orders");
    change(3, "DELETE FROM orders");
    expect(await migrateAll(databases)).toHaveLength(4);
    expect((await seed(databases)).added).toBe(10);
  });
});
