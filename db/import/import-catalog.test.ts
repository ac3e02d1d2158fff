import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSqliteLedger } from "@stock-bazaar/ledger/sqlite/sqlite-ledger";
import type { Order } from "@stock-bazaar/shared/domain";
import { beforeEach, describe, expect, test } from "vitest";
import { createdAt, tradeOf } from "../../test/support/builders.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { databasesIn, makeTradedDatabases } from "../../test/support/traded-databases.ts";
import { ledger, register, stocks } from "@stock-bazaar/ledger/sqlite/tables";
import { formatOrders, openOrderSource } from "../export-orders.ts";
import { requireOneHistory } from "../recovery/history.ts";
import type { Databases } from "../recovery/replicas-here.ts";
import { migrateAll } from "../migrate.ts";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { queryCatalog } from "@stock-bazaar/ledger/sqlite/query";
import { rebuildCatalog } from "../recovery/rebuild-catalog.ts";
import { keptStocksFile } from "../kept-stocks.ts";
import { seed } from "../seed.ts";
import { lockForService } from "@stock-bazaar/sqlite/service-lock";
import { verify } from "../recovery/verify.ts";
import { type Imported, type ImportOptions, importFiles } from "./import-catalog.ts";

let folder: string;
let databases: Databases;
let dataDir: string;

beforeEach(() => {
  folder = temporaryFolder();
  dataDir = join(folder, "data");
  databases = databasesIn(dataDir);
});

function write(name: string, ...lines: readonly string[]): string {
  const file = join(folder, name);
  writeFileSync(file, lines.join("\n"));
  return file;
}

const threeStocks = () => write("stocks.csv", "Name,Price,Quantity,Volume", "A,1.50,90,12", "B,2,5,3", "C,3,7,0");
const header = "TransactionNumber,Name,Type,VolumeTraded";
const threeOrders = () => write("orders.csv", header, "1,A,buy,11", "3,B,Sell,3", "2,A,Sell,1");

function run(options: Partial<ImportOptions> = {}): Promise<Imported> {
  return importFiles(databases, {
    stocksFile: options.stocksFile ?? threeStocks(),
    orderFiles: options.orderFiles ?? [threeOrders()],
    renumber: false,
    dryRun: false,
    createdAt,
    ...options,
  });
}

function contents() {
  const catalog = openCatalogDatabase(dataDir, "read");
  const db = queryCatalog(catalog);
  const all = {
    stocks: db.select().from(stocks).orderBy(stocks.name).all(),
    ledger: db.select().from(ledger).all(),
    register: db.select().from(register).get(),
  };
  catalog.close();
  return all;
}

const differences = async () => (await verify(databases)).flatMap((check) => check.differences);
const files = (where = dataDir) => readdirSync(where).filter((name) => !/-(shm|wal|lock)$/.test(name));

function appendTo(replica: number, orders: readonly Order[]): void {
  const { client, close } = openOrderDatabase(dataDir, replica);
  const insert = client.prepare("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (const { id, key, name, type, quantity, priceCents, term, createdAt } of orders)
    insert.run(id, key, name, type, quantity, priceCents, term, createdAt);
  close();
}

describe("an import", () => {
  test("creates stocks and a ledger that explains them, which a leader can continue", async () => {
    expect(await run()).toEqual({
      file: catalogFile(dataDir),
      stocks: [
        { name: "A", priceCents: 150, initial: 100, quantity: 90, volume: 12, otherVolume: undefined },
        { name: "B", priceCents: 200, initial: 2, quantity: 5, volume: 3, otherVolume: undefined },
        { name: "C", priceCents: 300, initial: 7, quantity: 7, volume: 0, otherVolume: undefined },
      ],
      orders: 3,
      equalLines: 0,
      otherStocks: 0,
      numbersFile: undefined,
      dryRun: false,
    });
    const rest = { term: 1, createdAt };
    expect(contents().ledger).toEqual([
      { id: 1, key: "import-1", name: "A", type: "buy", quantity: 11, priceCents: 150, ...rest },
      { id: 2, key: "import-2", name: "A", type: "sell", quantity: 1, priceCents: 150, ...rest },
      { id: 3, key: "import-3", name: "B", type: "sell", quantity: 3, priceCents: 200, ...rest },
    ]);
    expect(contents().stocks).toEqual([
      { name: "A", priceCents: 150, quantity: 90, volume: 12, rev: 2 },
      { name: "B", priceCents: 200, quantity: 5, volume: 3, rev: 3 },
      { name: "C", priceCents: 300, quantity: 7, volume: 0, rev: 0 },
    ]);
    expect(await differences()).toEqual([]);
    await requireOneHistory(databases);
    expect(files().sort()).toEqual(["catalog.db", "order-1.db", "order-2.db", "order-3.db", "stocks.csv"]);

    const service = createSqliteLedger(openCatalogDatabase(dataDir));
    const { term } = await service.register();
    const leading = await service.acquire({ replica: 3, term, last: undefined });
    const trades = [tradeOf("new", { name: "B", type: "buy", quantity: 5 })];
    const { outcomes } = await service.apply({ term: leading.term, last: undefined, trades, createdAt });
    expect(outcomes).toEqual([{ status: "accepted", orderId: 4, replayed: false }]);
    await service.close();
    expect(await differences()).toEqual([]);
  });

  test("can be followed by a rebuild of the catalog from the copy of the initial stocks and a replica", async () => {
    await run();
    const before = contents();
    for (const replica of [1, 2, 3]) appendTo(replica, before.ledger);
    expect(readFileSync(keptStocksFile(dataDir), "utf8")).toBe(
      'name,price,quantity\n"A",1.50,100\n"B",2.00,2\n"C",3.00,7\n',
    );
    rmSync(catalogFile(dataDir));
    await rebuildCatalog(databases);
    expect(contents()).toMatchObject({ stocks: before.stocks, ledger: before.ledger });
    expect(await differences()).toEqual([]);
  });

  test("replaces seeded stocks of the same names and keeps the others", async () => {
    await migrateAll(databases);
    await seed(databases, write("seed.csv", "name,price,quantity", "A,9,9", "Z,1,1"));
    const catalog = openCatalogDatabase(dataDir);
    catalog.client.exec("UPDATE register SET term = 41, leader = 2, lease_ms = 700");
    catalog.close();
    const { life } = contents().register ?? {};
    expect(await run()).toMatchObject({ otherStocks: 1 });
    expect(contents().stocks).toContainEqual({ name: "A", priceCents: 150, quantity: 90, volume: 12, rev: 2 });
    expect(contents().stocks).toContainEqual({ name: "Z", priceCents: 100, quantity: 1, volume: 0, rev: 0 });
    expect(readFileSync(keptStocksFile(dataDir), "utf8")).toContain('"A",1.50,100\n');
    expect(await differences()).toEqual([]);
    // A term above every used one, and a new life, so the head that front-ends have seen doesn't apply to it.
    const now = contents().register;
    expect(contents().ledger[0]?.term).toBe(42);
    expect(now).toMatchObject({ leader: 0, head: 3, leaseMs: 700, endedCleanly: 0, firstTerm: now?.term });
    expect(now?.term).toBeGreaterThan(42);
    expect(now?.life).not.toBe(life);
  });

  test("works without orders", async () => {
    expect(await run({ orderFiles: [] })).toMatchObject({
      orders: 0,
      stocks: [{ initial: 90, volume: 0, otherVolume: 12 }, { otherVolume: 3 }, { otherVolume: undefined }],
    });
    expect(await differences()).toEqual([]);
  });

  test("reads a log of each replica and counts equal lines once", async () => {
    const stocksFile = write("stock_data.csv", "A,B", "1.5,2.0", "90.0,5.0", "15.0,0.0");
    const sell = (number: number, name: string) => `${number} - Stockname: ${name}   Quantity: 1   Order: sell`;
    const orderFiles = [
      write("transaction_log_1.txt", sell(1, "A"), sell(2, "B")),
      write("transaction_log_2.txt", sell(3, "A"), sell(1, "A")),
      write("transaction_log_3.txt", ""),
    ];
    expect(await run({ stocksFile, orderFiles })).toMatchObject({
      orders: 3,
      equalLines: 1,
      stocks: [
        { name: "A", initial: 88, volume: 2, otherVolume: 15 },
        { name: "B", initial: 4, volume: 1, otherVolume: 0 },
      ],
    });
    expect(await differences()).toEqual([]);
  });

  test("gives new numbers to orders that start at 0, have gaps and repeat numbers, and writes a table of old and new numbers", async () => {
    const orderFiles = [
      write("one.csv", "Order number,Product name,Quantity", "0,A,1", "7,B,2"),
      write("two, more.csv", "Order number,Product name,Quantity", "7,C,3", "0,A,1", "2,C,1"),
    ];
    const imported = await run({ orderFiles, renumber: true });
    expect(imported).toMatchObject({ orders: 4, equalLines: 1, numbersFile: join(dataDir, "order-numbers.csv") });
    expect(contents().ledger.map(({ id, key, name, type }) => [id, key, name, type])).toEqual([
      [1, "import-1", "A", "buy"],
      [2, "import-2", "C", "buy"],
      [3, "import-3", "B", "buy"],
      [4, "import-4", "C", "buy"],
    ]);
    expect(readFileSync(join(dataDir, "order-numbers.csv"), "utf8")).toBe(
      `old_number,new_number,file,line\n0,1,"${folder}/one.csv",2\n2,2,"${folder}/two, more.csv",4\n7,3,"${folder}/one.csv",3\n7,4,"${folder}/two, more.csv",2\n`,
    );
    expect(await differences()).toEqual([]);
  });

  test("can read an export in both formats", async () => {
    const original = join(folder, "original");
    await makeTradedDatabases(original, 200);
    const catalog = openCatalogDatabase(original, "read");
    const rows = catalog.client
      .prepare<[], { name: string; cents: number; quantity: number; volume: number }>(
        "SELECT name, price_cents AS cents, quantity, volume FROM stocks",
      )
      .all();
    const orders = queryCatalog(catalog).select().from(ledger).all();
    catalog.close();
    const stocksFile = write(
      "today.csv",
      "name,price,quantity,volume",
      ...rows.map(({ name, cents, quantity, volume }) => `${name},${cents / 100},${quantity},${volume}`),
    );
    for (const format of ["csv", "ndjson"] as const) {
      dataDir = join(folder, `again-${format}`);
      databases = databasesIn(dataDir);
      const source = await openOrderSource(databasesIn(original), 2);
      const orderFiles = [
        write(`exported.${format}`, (await Array.fromAsync(formatOrders(source.parts(0), format))).join("")),
      ];
      source.close();
      const imported = await run({ stocksFile, orderFiles });
      expect(imported.stocks.filter(({ otherVolume }) => otherVolume !== undefined)).toEqual([]);
      expect(imported.stocks.map(({ initial }) => initial)).toEqual(rows.map(() => 100));
      expect(contents().ledger).toEqual(
        orders.map((order) => ({ ...order, key: `import-${order.id}`, term: 1, createdAt })),
      );
      expect(await differences()).toEqual([]);
    }
  });
});

describe("a dry run returns the same and writes nothing", () => {
  test("without databases", async () => {
    expect(await run({ dryRun: true, renumber: true })).toMatchObject({
      orders: 3,
      dryRun: true,
      numbersFile: join(dataDir, "order-numbers.csv"),
    });
    expect(existsSync(dataDir)).toBe(false);
  });

  test("with a catalog", async () => {
    await migrateAll(databases);
    const before = contents();
    const names = files();
    expect(await run({ dryRun: true })).toMatchObject({ orders: 3, otherStocks: 0 });
    expect(contents()).toEqual(before);
    expect(files()).toEqual(names);
    await run();
    expect(contents().ledger).toHaveLength(3);
  });
});

describe("nothing is written", () => {
  let names: string[];
  beforeEach(async () => {
    await migrateAll(databases);
    names = files();
  });

  async function expectRefused(message: string | RegExp, options: Partial<ImportOptions> = {}): Promise<void> {
    const before = contents();
    await expect(run(options)).rejects.toThrow(message);
    expect(contents()).toEqual(before);
    expect(files()).toEqual(names);
    await expect(run({ ...options, dryRun: true })).rejects.toThrow(message);
  }

  const refused = (...lines: readonly string[]): Partial<ImportOptions> => ({
    orderFiles: [write("wrong.csv", header, ...lines)],
  });

  test("if numbers start at 0", async () => {
    const message = `${folder}/wrong.csv, line 3: order numbers must start at 1 (got 0). \`--renumber\` gives all orders new numbers`;
    await expectRefused(message, refused("1,A,buy,1", "0,A,buy,1"));
  });

  test("if numbers have a gap", async () => {
    const message = `${folder}/wrong.csv, line 2: the next order must have the number 2 (got 3). \`--renumber\``;
    await expectRefused(message, refused("3,A,buy,1", "1,A,buy,1"));
  });

  test("if a number comes twice with different content", async () => {
    const message = `${folder}/wrong.csv, line 3: order 1 must be "buy 1 A", as in ${folder}/wrong.csv, line 2 (got "buy 2 A"). \`--renumber\``;
    await expectRefused(message, refused("1,A,buy,1", "1,A,buy,2"));
  });

  test("if a stock would have gone below zero, also with new numbers", async () => {
    const message = `${folder}/wrong.csv, line 3: order 2, sell 9 B: B must have begun with 0 to 2147483647 units (got -4,`;
    await expectRefused(message, { ...refused("0,A,buy,1", "4,B,sell,9"), renumber: true });
  });

  test("if lines are wrong: ten are listed, the others are counted", async () => {
    const message = `${folder}/wrong.csv, line 2: name must be a stock of ${folder}/stocks.csv (got "X")\n${folder}/wrong.csv, line 4: quantity must be`;
    await expectRefused(message, refused("1,X,buy,1", "2,A,buy,1", "3,A,buy,none"));
    const many = Array.from({ length: 14 }, (_, index) => `${index + 1},A,give,1`);
    await expectRefused(/line 11: type must be [^\n]*\nand 4 more lines are wrong$/, refused(...many));
  });

  test("if a file of stocks is wrong", async () => {
    await expectRefused("line 2, column price", { stocksFile: write("s.csv", "name,price,quantity", "A,free,1") });
  });

  test("if a file isn't there", async () => {
    await expectRefused("nowhere.csv: can't be read", { orderFiles: [join(folder, "nowhere.csv")] });
    await expectRefused("nowhere.csv: can't be read", { stocksFile: join(folder, "nowhere.csv") });
  });

  test("if the catalog has an order", async () => {
    await run();
    names = files();
    await expectRefused(`${catalogFile(dataDir)} holds 3 orders already; an import needs databases without orders`);
  });

  test("if a replica has an order, also one that is not configured", async () => {
    const order = { id: 1, key: "k", name: "A", type: "buy", quantity: 1, priceCents: 1, term: 1, createdAt } as const;
    appendTo(2, [order]);
    await expectRefused(`${orderFile(dataDir, 2)} holds 1 orders already`);
    databases = { dataDir, replicas: new Map() };
    await expectRefused(`${orderFile(dataDir, 2)} holds 1 orders already`);
  });

  test("if a replica can't be read", async () => {
    writeFileSync(orderFile(dataDir, 2), "rubbish".repeat(1000));
    await expectRefused(`${orderFile(dataDir, 2)} is not a SQLite database`);
  });

  test("if a rejected trade has a key that an order would get", async () => {
    const catalog = openCatalogDatabase(dataDir);
    catalog.client.exec("INSERT INTO rejections VALUES ('import-2', 'f', 'INVALID_STOCKNAME', '')");
    catalog.close();
    await expectRefused("holds a rejected trade with the key import-2");
  });

  test.each(["catalog.db", "order-2.db"])("while a service runs on %s", async (name) => {
    const unlock = lockForService(join(dataDir, name));
    await expectRefused(`${dataDir}/${name} is held by a running service`);
    unlock();
    await run();
  });

  test.each(["ledger", "register"])("if the last write into %s fails", async (table) => {
    await seed(databases, write("seed.csv", "name,price,quantity", "A,9,9"));
    const catalog = openCatalogDatabase(dataDir);
    const event = table === "ledger" ? "INSERT ON ledger WHEN NEW.id = 3" : "UPDATE ON register";
    catalog.client.exec(`CREATE TRIGGER full BEFORE ${event} BEGIN SELECT RAISE(ABORT, 'no more'); END`);
    catalog.close();
    const before = [contents(), files(), readFileSync(keptStocksFile(dataDir), "utf8")];
    await expect(run()).rejects.toThrow("no more");
    expect([contents(), files(), readFileSync(keptStocksFile(dataDir), "utf8")]).toEqual(before);
    expect(await differences()).toEqual([]);
  });

  test("if the table of numbers can't be written", async () => {
    mkdirSync(join(folder, "table.csv"));
    await expect(run({ renumber: true, numbersFile: join(folder, "table.csv") })).rejects.toThrow("table.csv");
    expect(contents().ledger).toEqual([]);
    expect(files(folder).filter((name) => name.includes("tmp"))).toEqual([]);
  });
});

test("what a killed import left behind is removed by the next one", async () => {
  await migrateAll(databases);
  mkdirSync(join(dataDir, "importing-killed"));
  writeFileSync(join(dataDir, "importing-killed", "lines.db"), "half");
  await run();
  expect(files().filter((name) => name.startsWith("importing-"))).toEqual([]);
});
