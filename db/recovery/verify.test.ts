import { copyFileSync, linkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { damageTable } from "../../test/support/damage.ts";
import { databasesIn } from "../../test/support/traded-databases.ts";
import { tradedCopies } from "../../test/support/traded-copies.ts";
import { explaining } from "@stock-bazaar/sqlite/connection";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { verify } from "./verify.ts";

const traded = tradedCopies();
let dataDir: string;

beforeEach(() => {
  dataDir = traded.copy();
});

/** Changes a file directly, without a service; `replica` 0 is the catalog. */
function tamper(replica: number, sql: string): void {
  const database = replica === 0 ? openCatalogDatabase(dataDir) : openOrderDatabase(dataDir, replica);
  database.client.exec(`PRAGMA ignore_check_constraints = ON; ${sql}`);
  database.close();
}

/** All differences, without the folder in file names. */
async function broken(): Promise<string[]> {
  return (await verify(databasesIn(dataDir))).flatMap(({ promise, differences }) =>
    differences.map((difference) => `${promise} ${difference.replaceAll(`${dataDir}/`, "")}`),
  );
}

test("runs five checks without a difference, each with a description of what it checked", async () => {
  expect(
    (await verify(databasesIn(dataDir))).map(({ promise, what, differences }) => [promise, what, differences]),
  ).toEqual([
    ["I1", "the ledger explains the quantities of 10 stocks", []],
    ["I2", "the ledger's numbers are 1 to 12", []],
    ["I3", "12 orders, as in the ledger row for row", []],
    ["I3", "12 orders, as in the ledger row for row", []],
    ["I3", "12 orders, as in the ledger row for row", []],
  ]);
});

test.each([
  ["a symbolic", symlinkSync],
  ["a hard", linkSync],
])("a replica whose file is %s link to another's isn't a copy", async (_kind, link) => {
  rmSync(orderFile(dataDir, 2));
  link(orderFile(dataDir, 1), orderFile(dataDir, 2));
  expect(await broken()).toEqual(["I3 order-1.db and order-2.db must be two files (they are links to the same one)"]);
});

test("a replica may be behind, and empty", async () => {
  tamper(1, "DELETE FROM orders WHERE id > 7");
  tamper(2, "DELETE FROM orders");
  expect(await broken()).toEqual([]);
});

test.each([
  [
    "UPDATE stocks SET quantity = 57 WHERE name = 'BoarCo'",
    [
      'I1 catalog.db, stock "BoarCo", column quantity must be 100 initial − 100 bought + 0 sold + 50 restocked = 50 (got 57)',
    ],
  ],
  [
    "UPDATE stocks SET volume = 99 WHERE name = 'BoarCo'",
    ['I1 catalog.db, stock "BoarCo", column volume must be 100 bought + 0 sold = 100 (got 99)'],
  ],
  [
    "UPDATE stocks SET rev = 11 WHERE name = 'BoarCo'",
    ['I1 catalog.db, stock "BoarCo", column rev must be the stock\'s last order, 12 (got 11)'],
  ],
  [
    "UPDATE stocks SET quantity = -50 WHERE name = 'BoarCo'; UPDATE initial_stocks SET quantity = 0 WHERE name = 'BoarCo'",
    ['I1 catalog.db, stock "BoarCo", column quantity must be at least 0 (got -50)'],
  ],
  [
    "DELETE FROM initial_stocks WHERE name = 'HarborRope'",
    ['I1 catalog.db, stock "HarborRope" is in stocks, but not in initial_stocks'],
  ],
  [
    "DELETE FROM stocks WHERE name = 'HarborRope'",
    ['I1 catalog.db, stock "HarborRope" is in initial_stocks, but not in stocks'],
  ],
  [
    "DELETE FROM stocks WHERE name = 'BoarCo'; DELETE FROM initial_stocks WHERE name = 'BoarCo'",
    ['I1 catalog.db, order 12 trades "BoarCo", which is not a stock'],
  ],
  ["UPDATE register SET head = 13", ["I2 catalog.db, table register, column head must be the last order, 12 (got 13)"]],
])("the catalog: %s", async (sql, differences) => {
  tamper(0, sql);
  expect(await broken()).toEqual(differences);
});

test("an order that was deleted from the ledger shows in its stock, in the numbers and in every replica", async () => {
  tamper(0, "DELETE FROM ledger WHERE id = 5");
  const [quantity, volume, ...others] = await broken();
  expect(quantity).toMatch(/^I1 catalog\.db, stock "GameStart", column quantity/);
  expect(volume).toMatch(/^I1 catalog\.db, stock "GameStart", column volume/);
  expect(others).toEqual([
    "I2 catalog.db lacks order 5, and goes on to order 12",
    ...[1, 2, 3].map((id) => `I3 order-${id}.db holds order 5, catalog.db doesn't`),
  ]);
});

test("an order that was deleted from the front shows, too", async () => {
  tamper(1, "DELETE FROM orders WHERE id = 1");
  tamper(2, "UPDATE orders SET id = 0 WHERE id = 1");
  expect(await broken()).toEqual([
    "I3 order-1.db lacks order 1, and goes on to order 12",
    "I3 order-2.db holds order 0, catalog.db doesn't",
    "I3 order-2.db has an order with the number 0",
  ]);
});

test.each([
  ["key", "'other'", '"other"', '"key-2"'],
  ["name", "'Tux'", '"Tux"', '"GameStart"'],
  ["type", "'sell'", '"sell"', '"buy"'],
  ["quantity", "2", "2", "1"],
  ["price_cents", "1600", "1600", "1599"],
  ["term", "4", "4", "3"],
  ["created_at", "''", '""', '"2026-01-01T00:00:00.000Z"'],
])("a replica with another %s in one row", async (column, value, here, there) => {
  tamper(2, `UPDATE orders SET ${column} = ${value} WHERE id = 3`);
  expect(await broken()).toEqual([`I3 order 3, column ${column}: order-2.db has ${here}, catalog.db has ${there}`]);
});

test("a replica that is ahead, one with gaps, and one that is missing", async () => {
  tamper(
    1,
    "INSERT INTO orders SELECT id + 1, 'new', name, type, 1, price_cents, term, created_at FROM orders WHERE id = 12",
  );
  tamper(2, "DELETE FROM orders WHERE id IN (4, 5, 9)");
  rmSync(orderFile(dataDir, 3));
  expect(await broken()).toEqual([
    "I3 order-1.db goes on to order 13, but catalog.db ends at order 12",
    "I3 order-2.db lacks order 4, and goes on to order 12",
    "I3 order-3.db does not exist: run `npm run migrate`",
  ]);
});

test("missing and unreadable files are named, and no promise is reported as broken", async () => {
  writeFileSync(orderFile(dataDir, 2), "not a database, but long enough to be taken for the header of one".repeat(9));
  rmSync(catalogFile(dataDir));
  expect(new Set((await verify(databasesIn(dataDir))).map(({ outcome }) => outcome))).toEqual(new Set(["unread"]));
  expect(await broken()).toEqual([
    "I1 catalog.db is missing, but order-1.db holds 12 orders: run `npm run rebuild-catalog`",
    "I3 order-1.db has nothing to be compared with",
    "I3 order-2.db can't be read (file is not a database), and may hold orders that no other replica has: put a sound copy in its place, or move it elsewhere to go on without it, then run `npm run rebuild-catalog`",
    "I3 order-3.db has nothing to be compared with",
  ]);
});

describe("a damaged page", () => {
  const places = ["at the start", "in the middle", "at the end"] as const;
  const replicaIsDamaged = /^I3 order-2\.db is damaged: move it elsewhere, then run `npm run migrate`/;

  beforeEach(() => {
    const rows = Array.from({ length: 500 }, (_, row) => `(${row + 13}, 'more ${row}', 'A', 'buy', 1, 1, 1, '')`);
    tamper(
      0,
      `INSERT INTO ledger VALUES ${rows.join()}; UPDATE register SET head = 512;
      INSERT INTO stocks VALUES ('A', 1, 0, 500, 512); INSERT INTO initial_stocks VALUES ('A', 500)`,
    );
    for (const id of [1, 2, 3]) tamper(id, `INSERT INTO orders VALUES ${rows.join()}`);
  });

  test.each(places)("%s of a replica is reported for that file, and everything else is checked", async (place) => {
    damageTable(orderFile(dataDir, 2), "orders", place);
    expect(await broken()).toEqual([expect.stringMatching(replicaIsDamaged)]);
  });

  test.each(places)("%s of the ledger is reported for catalog.db and not for a replica", async (place) => {
    damageTable(catalogFile(dataDir), "ledger", place);
    const damaged = "catalog.db is damaged: run `npm run rebuild-catalog`, ";
    // SQLite counts the orders in the index of their keys, so I2 reads only the first and the last page.
    const checks = (place === "in the middle" ? ["I1"] : ["I1", "I2"]).map((promise) => `${promise} ${damaged}`);
    for (const id of [1, 2, 3]) checks.push(`I3 order-${id}.db can't be compared with the ledger: ${damaged}`);
    expect(await broken()).toEqual(checks.map((check) => expect.stringContaining(check)));
  });

  test.each(places)("%s of a replica is reported without a catalog as well", async (place) => {
    rmSync(catalogFile(dataDir));
    damageTable(orderFile(dataDir, 2), "orders", place);
    expect((await broken()).slice(1)).toEqual([
      "I3 order-1.db has nothing to be compared with",
      expect.stringMatching(
        /^I3 order-2\.db can't be read \(database disk image is malformed\), and may hold orders that no other replica has: put/,
      ),
      "I3 order-3.db has nothing to be compared with",
    ]);
  });
});

test.each([
  ["is empty", "", "is missing, but order-1.db holds 12 orders: run `npm run rebuild-catalog`"],
  ["is no database", "x".repeat(999), "is not a SQLite database: run `npm run rebuild-catalog`, "],
])("a catalog that %s, beside replicas with orders: the repair command is named", async (_case, content, message) => {
  writeFileSync(catalogFile(dataDir), content);
  expect((await broken())[0]).toContain(`I1 catalog.db ${message}`);
});

test("a catalog that is another database, beside replicas with orders: the repair command is named", async () => {
  copyFileSync(orderFile(dataDir, 1), catalogFile(dataDir));
  expect((await broken())[0]).toBe(
    "I1 catalog.db is not the catalog's database: move it elsewhere, then run `npm run migrate`, or `npm run rebuild-catalog` where replicas hold orders",
  );
});

test("a missing catalog without any orders is created by a migration", async () => {
  for (const id of [1, 2, 3]) tamper(id, "DELETE FROM orders");
  rmSync(catalogFile(dataDir));
  expect((await broken())[0]).toBe("I1 catalog.db does not exist: run `npm run migrate`, then `npm run seed`");
});

test("a replica that may lack its last orders keeps its promise, and gets a note", async () => {
  const note = async () => (await verify(databasesIn(dataDir))).find(({ file }) => file.endsWith("order-2.db"))?.note;
  expect(await note()).toBeUndefined();
  tamper(2, "DELETE FROM orders WHERE id > 10; UPDATE replica SET boot_id = 'another', synced = 0");
  expect(await note()).toMatch(/may not have caught up since a power cut/);
  expect(await broken()).toEqual([]);
});

test("the error of a refused write explains that readers need write access too", () => {
  const replica = openOrderDatabase(dataDir, 1, "read");
  const writing = () => explaining("order-1.db", "orders", () => replica.client.exec("DELETE FROM orders"));
  expect(writing).toThrow(
    "order-1.db can't be used: attempt to write a readonly database; reading needs write access to its folder, and to the -wal and -shm files beside it",
  );
  replica.close();
});

test("each file is read from one snapshot, the replicas before the catalog", async () => {
  const service = openCatalogDatabase(dataDir);
  const replica = openOrderDatabase(dataDir, 1);
  const order = "SELECT id + 1, 'late', name, type, 50, price_cents, term, created_at FROM";
  // Between the snapshots of the two files, a whole order is written: into the ledger, then into the replica.
  const write = () => {
    service.client.exec(`BEGIN; INSERT INTO ledger ${order} ledger WHERE id = 12; UPDATE register SET head = 13;
      UPDATE stocks SET quantity = 100, rev = 13 WHERE name = 'BoarCo'; COMMIT`);
    replica.client.exec(`INSERT INTO orders ${order} orders WHERE id = 12`);
  };
  const seen: string[] = [];
  const checks = await verify(databasesIn(dataDir), (table) => {
    seen.push(table);
    if (table === "replica3.orders") write();
  });
  expect(seen).toEqual(["replica1.orders", "replica2.orders", "replica3.orders", "main.ledger"]);
  expect(checks.flatMap(({ differences }) => differences)).toEqual([]);
  expect(checks.map(({ what }) => what.match(/\d+ orders|to \d+/)?.[0])).toEqual([
    undefined,
    "to 13",
    "12 orders",
    "12 orders",
    "12 orders",
  ]);
  service.close();
  replica.close();
});

test("orders are added up over any number of chunks", async () => {
  tamper(
    0,
    `WITH RECURSIVE n(id) AS (SELECT 13 UNION ALL SELECT id + 1 FROM n WHERE id < 110000)
     INSERT INTO ledger SELECT id, 'more ' || id, 'BoarCo', CASE id % 3 WHEN 0 THEN 'sell' WHEN 1 THEN 'restock' ELSE 'buy' END,
       1, 1599, 3, '2026-01-01' FROM n;
     UPDATE register SET head = 110000;
     UPDATE stocks SET rev = 110000,
       quantity = quantity + (SELECT SUM(iif(type = 'buy', -1, 1)) FROM ledger WHERE id > 12),
       volume = volume + (SELECT SUM(type <> 'restock') FROM ledger WHERE id > 12) WHERE name = 'BoarCo'`,
  );
  expect(await broken()).toEqual([]);
});
