/**
 * Databases of earlier versions, each in a folder `databases-<commit>` of `test/fixtures` with gzipped files. All of
 * them hold the orders, rejections and register that the tests below expect, so a later version only adds a folder. There
 * is one for each schema that there was. The services of `9c29f44`, `v1.0.0` and `51cf471` have written theirs; the two older
 * ones hold the rows of `9c29f44` in tables of their own migrations.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { createSqliteLedger } from "@stock-bazaar/ledger/sqlite/sqlite-ledger";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";
import { describe, expect, test } from "vitest";
import { accepted, createdAt, tradeOf } from "../test/support/builders.ts";
import { temporaryFolder } from "../test/support/temporary-folder.ts";
import { databasesIn } from "../test/support/traded-databases.ts";
import { connect } from "@stock-bazaar/sqlite/connection";
import { migrationsFolder } from "@stock-bazaar/sqlite/schema-version";
import { requireOneHistory } from "./recovery/history.ts";
import { type Databases, filesNotWhole } from "./recovery/replicas-here.ts";
import { migrateAll } from "./migrate.ts";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { verify } from "./recovery/verify.ts";

const fixtures = join(import.meta.dirname, "../test/fixtures");
const versions = readdirSync(fixtures).filter((name) => name.startsWith("databases-"));
const head = 14;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Unpacks the databases of this version into a temporary folder. */
function unpacked(version: string) {
  const dataDir = temporaryFolder();
  const folder = join(fixtures, version);
  for (const name of readdirSync(folder)) {
    writeFileSync(join(dataDir, basename(name, ".gz")), gunzipSync(readFileSync(join(folder, name))));
  }
  return databasesIn(dataDir);
}

/** The number of migrations in a fixture: `user_version`, at its place in the file's header. */
function schemaVersion(version: string, name: string): number {
  return gunzipSync(readFileSync(join(fixtures, version, `${name}.gz`))).readUInt32BE(60);
}

/** The register's row with the columns that it has. */
function registerOf({ dataDir }: Databases): object {
  const client = connect(catalogFile(dataDir), "read");
  const rows = client.prepare<[], object>("SELECT * FROM register").all();
  client.close();
  expect(rows).toHaveLength(1);
  return { ...rows[0] };
}

test("there are databases of every earlier version", () => {
  expect(versions).toContain("databases-9c29f44");
  // A new migration needs a fixture of the version before it.
  for (const [kind, name] of [
    ["catalog", "catalog.db"],
    ["orders", "order-1.db"],
  ] as const) {
    const found = new Set(versions.map((version) => schemaVersion(version, name)));
    const newest = readdirSync(migrationsFolder(kind)).filter((file) => file.endsWith(".sql")).length;
    for (let version = 1; version < newest; version += 1) expect(found, `${kind} ${version}`).toContain(version);
  }
});

describe.each(versions)("%s", (version) => {
  test("are migrated, and every promise is kept", async () => {
    const databases = unpacked(version);
    expect((await migrateAll(databases)).map(({ file }) => basename(file))).toEqual([
      "catalog.db",
      "order-1.db",
      "order-2.db",
      "order-3.db",
    ]);
    await requireOneHistory(databases);
    // Its replicas synced each commit.
    expect(filesNotWhole(databases)).toEqual([]);
    const checks = await verify(databases);
    expect(new Set(checks.map(({ promise }) => promise))).toEqual(new Set(["I1", "I2", "I3"]));
    expect(checks.filter(({ outcome }) => outcome !== "kept")).toEqual([]);
    // A second migration has nothing to do.
    expect((await migrateAll(databases)).map(({ migrations }) => migrations)).toEqual([0, 0, 0, 0]);
  });

  test("keep their register; new columns get their defaults, except that the ledger gets a life", async () => {
    const databases = unpacked(version);
    const before = registerOf(databases);
    expect(before).toMatchObject({ term: 2, leader: 2, head });
    await migrateAll(databases);
    expect(registerOf(databases)).toEqual({
      life: expect.stringMatching(uuid),
      first_term: 0,
      lease_ms: 0,
      ended_cleanly: 0,
      ...before,
    });
  });

  test("keep every order, equal on every replica, and take the next one", async () => {
    const databases = unpacked(version);
    await migrateAll(databases);
    const ledger = createSqliteLedger(openCatalogDatabase(databases.dataDir));
    const orders = await ledger.ordersAfter(0, 100);
    expect(orders.map(({ id }) => id)).toEqual(Array.from({ length: head }, (_, index) => index + 1));
    expect(orders.filter(({ type }) => type === "restock")).toMatchObject([{ id: 3, name: "FishCo", quantity: 100 }]);
    for (const id of databases.replicas.keys()) {
      const log = createSqliteOrderLog(openOrderDatabase(databases.dataDir, id));
      expect(await log.after(0, 100)).toEqual(orders);
      expect(log.last).toEqual(orders.at(-1));
      await log.close();
    }

    const last = orders.at(-1);
    const { term } = await ledger.acquire({ replica: 1, term: 2, last });
    const { outcomes } = await ledger.apply({ term, last, trades: [tradeOf("new")], createdAt });
    expect([term, outcomes]).toEqual([3, [accepted(head + 1)]]);
    await ledger.close();
  });

  test("keep the first outcome of every key, and return it only for the same trade", async () => {
    const databases = unpacked(version);
    await migrateAll(databases);
    const ledger = createSqliteLedger(openCatalogDatabase(databases.dataDir));
    const first = tradeOf("first", { name: "BoarCo" });
    const trades = [
      first,
      tradeOf("too-much", { name: "BoarCo", quantity: 1_000_000 }),
      tradeOf("no-stock", { name: "Nothing" }),
      tradeOf("second-term", { quantity: 2 }),
      { ...first, quantity: 2 },
    ];
    const { outcomes, orders } = await ledger.apply({ term: 2, last: undefined, trades, createdAt });
    expect(outcomes).toEqual([
      accepted(1, true),
      { status: "rejected", reason: "INSUFFICIENT_QUANTITY", replayed: true },
      { status: "rejected", reason: "INVALID_STOCKNAME", replayed: true },
      accepted(head, true),
      { status: "key-reused" },
    ]);
    expect(orders).toEqual([]);
    await ledger.close();
  });
});
