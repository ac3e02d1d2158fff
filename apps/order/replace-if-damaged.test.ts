import { readdirSync, writeFileSync } from "node:fs";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { silentLogger } from "@stock-bazaar/process/log";
import { BazaarError, SetupError } from "@stock-bazaar/shared/errors";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { expect, test } from "vitest";
import { registerOf } from "../../test/support/builders.ts";
import { damageTable } from "../../test/support/damage.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { makeTradedDatabases } from "../../test/support/traded-databases.ts";
import { replaceIfDamaged } from "./replace-if-damaged.ts";

async function scenario() {
  const dataDir = temporaryFolder();
  await makeTradedDatabases(dataDir, 400);
  const file = new ReplicaFile(dataDir, 1);
  const clock = new ManualClock();
  const catalog = { register: async () => registerOf({ term: 3, head: 400 }) };
  const replace = (options = {}) =>
    replaceIfDamaged({ file, catalog, clock, logger: silentLogger, patienceMs: 3000, ...options });
  const aside = () => readdirSync(dataDir).filter((name) => name.startsWith("order-1-2"));
  return { dataDir, file, clock, catalog, replace, aside };
}

test("a page that a service found damaged is remembered: the file is set aside, and the new one counts as lacking orders", async () => {
  const { file, replace, aside } = await scenario();
  damageTable(file.file, "orders", "in the middle");
  // No service has read it yet.
  expect(file.damage()).toBeUndefined();
  file.noteDamage(file.problem());
  await replace();
  expect(aside()).toHaveLength(1);
  expect(file.damage()).toBeUndefined();
  expect(file.end()).toMatchObject({ lastId: 0, isWhole: false, isNew: false });
});

test("a file that is sound in spite of a note stays, and the note goes", async () => {
  const { file, replace, aside } = await scenario();
  file.noteDamage(new DatabaseError("damaged", file.file, "is damaged"));
  const before = file.end();
  await replace();
  expect(file.end()).toEqual(before);
  expect(aside()).toEqual([]);
  expect(readdirSync(file.file.replace("/order-1.db", "")).filter((name) => name.endsWith("-damaged"))).toEqual([]);
});

test("without a catalog nothing is replaced, and the message says what would be; it is once the catalog answers", async () => {
  const { file, clock, catalog, replace, aside } = await scenario();
  writeFileSync(file.file, "no database ".repeat(999));
  let isAway = true;
  const register = () =>
    isAway ? Promise.reject(new BazaarError("UNAVAILABLE", "no connection")) : catalog.register();
  const refused = replace({ catalog: { register } });
  const told = refused.catch((error: unknown) => String(error));
  await clock.advance(4000);
  expect(await told).toMatch(
    /order-1\.db is not a SQLite database: .*Its service does that by itself when the catalog answers \(no connection\)/,
  );
  expect(aside()).toEqual([]);
  const replaced = replace({ catalog: { register } });
  await clock.advance(1000);
  isAway = false;
  await clock.advance(1000);
  await replaced;
  expect(aside()).toHaveLength(1);
});

test("beside an empty ledger a damaged file stays: it may hold the only copy of its orders", async () => {
  const { file, replace, aside } = await scenario();
  writeFileSync(file.file, "no database ".repeat(999));
  const refused = replace({ catalog: { register: async () => registerOf({ term: 0, head: 0 }) } });
  await expect(refused).rejects.toThrow(SetupError);
  await expect(refused).rejects.toThrow("may hold orders that no other replica has: put a sound copy in its place");
  expect(aside()).toEqual([]);
});
