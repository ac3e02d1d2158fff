import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { readMark } from "@stock-bazaar/order-log/sqlite/kept-mark";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { lockIfFree } from "@stock-bazaar/sqlite/service-lock";
import { beforeEach, expect, test } from "vitest";
import { damageTable } from "../../test/support/damage.ts";
import { newPostgresDatabase } from "../../test/support/postgres.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { tradedCopies } from "../../test/support/traded-copies.ts";
import { databasesIn, makeTradedDatabases } from "../../test/support/traded-databases.ts";
import { begunRestorePrefix } from "../recovery/begun-restore.ts";
import { verify } from "../recovery/verify.ts";
import { makeBackup } from "./make-backup.ts";
import { readManifest } from "./manifest.ts";

const traded = tradedCopies();
let dataDir: string;
let to: string;

beforeEach(() => {
  dataDir = traded.copy();
  to = join(temporaryFolder(), "some", "backups");
});

/** `hour` is that of its time. */
const backUp = (hour: number, more: { keep?: number; isCatalogElsewhere?: boolean } = {}, folder = dataDir) =>
  makeBackup(databasesIn(folder), {
    to,
    at: new Date(Date.UTC(2026, 10, 30, hour)),
    isCatalogElsewhere: false,
    ...more,
  });
const nameOf = (hour: number) => `2026-11-30T0${hour}-00-00.000Z`;
const foldersIn = () =>
  readdirSync(to)
    .filter((name) => name !== "backups-lock")
    .toSorted();

function change(id: number, sql: string): void {
  const database = id === 0 ? openCatalogDatabase(dataDir) : new ReplicaFile(dataDir, id).open();
  database.client.exec(sql);
  database.close();
}

test("a backup holds the ledger, the longest replica and the initial stocks, without logs, and keeps every promise", async () => {
  change(1, "DELETE FROM orders WHERE id > 7");
  const { folder, manifest } = await backUp(1);
  expect(folder).toBe(join(to, nameOf(1)));
  expect(readdirSync(folder).toSorted()).toEqual(["catalog.db", "manifest.json", "order-2.db", "stocks.csv"]);
  expect(manifest).toMatchObject({ ledger: { head: 12, term: 3 }, replica: { id: 2, lastId: 12 } });
  expect(readFileSync(join(folder, "stocks.csv"))).toEqual(readFileSync(join(dataDir, "stocks.csv")));
  const checks = await verify({ dataDir: folder, replicas: new Map() });
  expect(checks.map(({ promise, outcome }) => `${promise} ${outcome}`)).toEqual(["I1 kept", "I2 kept", "I3 kept"]);
  expect(readdirSync(folder)).toHaveLength(4);
});

test("a replica's copy may lack orders that the replica acknowledges later, and is marked so", async () => {
  const { folder } = await backUp(1);
  const { client, close } = new ReplicaFile(folder, 1).open("read");
  expect(readMark(client)).toEqual({ bootId: "", synced: false });
  close();
  expect(new ReplicaFile(dataDir, 1).end()).toMatchObject({ isWhole: true });
});

test("rows keep their numbers, rejections too", async () => {
  change(
    0,
    "INSERT INTO rejections (rowid, key, fingerprint, reason, created_at) SELECT 9, 'x', fingerprint, reason, created_at FROM rejections",
  );
  const { folder } = await backUp(1);
  const { client, close } = openCatalogDatabase(folder, "read");
  expect(client.prepare("SELECT rowid FROM rejections ORDER BY rowid").pluck().all()).toEqual([1, 9]);
  close();
});

test("what is damaged or contradicts itself gives no backup, and removes none", async () => {
  await backUp(1);
  change(0, "UPDATE stocks SET quantity = quantity + 1 WHERE name = 'FishCo'");
  await expect(backUp(2, { keep: 1 })).rejects.toThrow(
    /the copy must be sound, or it is no backup: .*FishCo.*quantity/,
  );
  expect(foldersIn()).toEqual([nameOf(1)]);
});

test("a damaged page is found, also in a table that no check reads", async () => {
  const file = catalogFile(dataDir);
  change(
    0,
    "INSERT INTO rejections SELECT 'k' || value, printf('%.200c', 'x'), 'INVALID_STOCKNAME', 'x' FROM json_each('[' || printf('%.*c', 999, '0') || ']') LIMIT 0",
  );
  change(
    0,
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO rejections SELECT 'k' || i, printf('%.100c', 'x'), 'INVALID_STOCKNAME', 'x' FROM n",
  );
  damageTable(file, "rejections", "in the middle");
  await expect(backUp(1)).rejects.toThrow(/catalog\.db is damaged.*npm run rebuild-catalog/);
  expect(foldersIn()).toEqual([]);
});

test("a lost catalog isn't passed over, unless it is on another machine", async () => {
  for (const end of ["", "-wal", "-shm"]) rmSync(`${catalogFile(dataDir)}${end}`, { force: true });
  await expect(backUp(1)).rejects.toThrow(/catalog\.db is missing, but .* holds 12 orders/);
  expect(existsSync(to)).toBe(false);
  const { folder, manifest } = await backUp(1, { isCatalogElsewhere: true });
  expect(manifest.ledger).toBeUndefined();
  expect(readdirSync(folder).toSorted()).toEqual(["manifest.json", "order-1.db", "stocks.csv"]);
});

test("there must be something to back up, and no interrupted restore", async () => {
  const empty = temporaryFolder();
  await expect(backUp(1, {}, empty)).rejects.toThrow(
    `${empty} must hold a catalog or a replica to back up (got neither)`,
  );
  mkdirSync(join(dataDir, `${begunRestorePrefix}x`));
  await expect(backUp(1)).rejects.toThrow("npm run restore");
});

test("an unreadable replica is left out: the catalog matters most", async () => {
  for (const id of [1, 2, 3]) writeFileSync(orderFile(dataDir, id), "not a database, and longer than a header");
  const { manifest } = await backUp(1);
  expect(manifest).toMatchObject({ ledger: { head: 12 } });
  expect(manifest.replica).toBeUndefined();
});

test("a backup never replaces another, and two at once in one folder don't run", async () => {
  await backUp(1);
  const before = readFileSync(join(to, nameOf(1), "manifest.json"));
  await expect(backUp(1)).rejects.toThrow("must not exist yet");
  expect(readFileSync(join(to, nameOf(1), "manifest.json"))).toEqual(before);
  const unlock = lockIfFree(join(to, "backups"));
  await expect(backUp(2)).rejects.toThrow("is used by another backup");
  unlock?.();
  await backUp(2);
});

test("what a killed backup has left is no backup, and the next one removes it", async () => {
  await backUp(1);
  mkdirSync(join(to, "unfinished-abc"));
  writeFileSync(join(to, "unfinished-abc", "catalog.db"), "half");
  await backUp(2);
  expect(foldersIn()).toEqual([nameOf(1), nameOf(2)]);
});

test("--keep removes the oldest of the same databases, and nothing else", async () => {
  const other = traded.copy();
  await backUp(1, {}, other);
  mkdirSync(join(to, nameOf(0)));
  for (const hour of [2, 3, 4]) await backUp(hour);
  await backUp(5, { isCatalogElsewhere: true });
  const { removed } = await backUp(6, { keep: 2 });
  expect(removed).toEqual([nameOf(4), nameOf(3), nameOf(2)].map((name) => join(to, name)));
  expect(foldersIn()).toEqual([nameOf(0), nameOf(1), nameOf(5), nameOf(6)]);
});

test("--keep counts backups without a ledger apart, and never removes the new one, even if its clock is behind", async () => {
  await backUp(2);
  await backUp(3);
  const { removed } = await backUp(1, { keep: 1 });
  expect(removed).toEqual([join(to, nameOf(3)), join(to, nameOf(2))]);
  rmSync(catalogFile(dataDir));
  await backUp(4, { isCatalogElsewhere: true, keep: 1 });
  expect(foldersIn()).toEqual([nameOf(1), nameOf(4)]);
});

test("with the ledger on PostgreSQL the replica and the stocks are backed up, compared with the ledger", async () => {
  const folder = temporaryFolder();
  const url = await newPostgresDatabase();
  await makeTradedDatabases(folder, 12, undefined, url);
  const databases = databasesIn(folder, url);
  const options = { to, at: new Date(Date.UTC(2026, 10, 30, 1)), isCatalogElsewhere: false };
  const { manifest } = await makeBackup(databases, options);
  expect(manifest).toMatchObject({
    replica: { id: 1, lastId: 12 },
    files: [{ name: "order-1.db" }, { name: "stocks.csv" }],
  });
  expect(manifest.ledger).toBeUndefined();
  const { client, close } = new ReplicaFile(folder, 1).open();
  client.exec("UPDATE orders SET term = 9 WHERE id = 4");
  close();
  await expect(makeBackup(databases, options)).rejects.toThrow(/the copy must be sound.*order 4, column term/);
});

test.each([
  ["is missing", (file: string) => rmSync(file), /must be a backup of this program: .*manifest\.json can't be read/],
  ["is cut off", (file: string) => writeFileSync(file, '{"format": 1'), /can't be read/],
  ["has a newer format", (file: string) => writeFileSync(file, '{"format": 2}'), /is not valid \(format/],
  [
    "names a file elsewhere",
    (file: string) => writeFileSync(file, readFileSync(file, "utf8").replace('"catalog.db"', '"../catalog.db"')),
    /is not valid \(files\.0\.name/,
  ],
])("a manifest that %s is refused", async (_what, damage, message) => {
  const { folder } = await backUp(1);
  damage(join(folder, "manifest.json"));
  expect(() => readManifest(folder)).toThrow(message);
});
