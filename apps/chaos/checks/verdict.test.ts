import type { QueryRecord } from "@stock-bazaar/client/order-check";
import { beforeEach, expect, test } from "vitest";
import {
  initialQuantities,
  type SoundDatabases,
  soundDatabases,
  soundRecords,
} from "../../../test/support/sound-databases.ts";
import { type History, judge } from "./verdict.ts";

let databases: SoundDatabases;

beforeEach(() => {
  databases = soundDatabases();
});

async function verdict(change: Partial<History> = {}): Promise<string[]> {
  const sound = { trades: soundRecords(), replays: [], lookups: [], failedLookups: [], queries: [] };
  const options = { minCopies: 2, initialQuantities, timeoutMs: 0 };
  const found = await judge(databases, { ...sound, ...change }, options);
  return found.map(({ promise, harm, text }) => `${promise} ${harm}: ${text}`);
}

const url = "http://front-end-1";

function query(change: Partial<QueryRecord>): QueryRecord {
  return {
    orderNumber: 2,
    status: 200,
    reason: "",
    wrong: undefined,
    attempts: 1,
    url,
    startMs: 0,
    endMs: 1,
    ...change,
  };
}

test("a correct history on sound databases passes", async () => {
  const replays = soundRecords().map((record) => ({ ...record, replayed: true }));
  const lookup = { name: "GameStart", rev: 3, quantity: 91, cache: "miss", url, startMs: 500, endMs: 501 };
  expect(await verdict({ replays, lookups: [lookup], queries: [query({})] })).toEqual([]);
});

test("damage in the databases is reported", async () => {
  databases.inCatalog("UPDATE stocks SET quantity = 0 WHERE name = 'FishCo'");
  expect(await verdict()).toEqual([expect.stringMatching(/^I1 other: /)]);
});

test("a trade that no client sent counts as doubled; a restock does not", async () => {
  const [, ...others] = soundRecords();
  expect(await verdict({ trades: others })).toEqual([
    expect.stringMatching(/^I4 doubled: executed, but no client sent it: \{"id":1,"key":"one"/),
  ]);
  databases.inCatalog("UPDATE ledger SET type = 'restock' WHERE id = 2");
  databases.inCatalog("UPDATE stocks SET volume = 0 WHERE name = 'FishCo'");
  for (const id of [1, 2]) databases.inReplica(id, "UPDATE orders SET type = 'restock' WHERE id = 2");
  const sent = soundRecords().filter(({ orderNumber }) => orderNumber !== 2);
  expect(await verdict({ trades: sent })).toEqual([]);
});

test("a lookup that returns an older value is stale", async () => {
  const lookup = { name: "GameStart", rev: 1, quantity: 90, cache: "hit", url, startMs: 500, endMs: 501 };
  expect(await verdict({ lookups: [lookup] })).toEqual([expect.stringMatching(/^I6 stale: lookup \(hit\)/)]);
});

test("an acknowledged order that isn't found, or differs, is lost", async () => {
  const queries = [query({ status: 404 }), query({ orderNumber: 3, wrong: '{"data":{}}' })];
  expect(await verdict({ queries })).toEqual([
    `I7 lost: order 2 was acknowledged; ${url} answers 404`,
    `I7 lost: order 3 was acknowledged; ${url} answers 200 {"data":{}}`,
  ]);
});

test("a query without an answer is no violation", async () => {
  expect(await verdict({ queries: [query({ status: 0 }), query({ status: 503 })] })).toEqual([]);
});

test("a repeated key returns its first outcome, marked as a replay", async () => {
  const [first] = soundRecords();
  if (!first) throw new Error("no record");
  expect(await verdict({ replays: [first] })).toEqual([
    "I4 doubled: the repeated key one must be answered as a replay (it was not)",
  ]);
  const other = { ...first, orderNumber: 2, replayed: true };
  expect(await verdict({ replays: [other] })).toContainEqual(
    "I4 doubled: key one must have one outcome (got order 1 and order 2)",
  );
});

test("a trade without an outcome breaks the promise that every trade resolves", async () => {
  const [first, ...others] = soundRecords();
  if (!first) throw new Error("no record");
  const unresolved = { ...first, status: 503, reason: "UNAVAILABLE", orderNumber: undefined, attempts: 9 };
  expect(await verdict({ trades: [unresolved, ...others] })).toEqual([
    "I8 other: the trade with key one must have an outcome (got 503 UNAVAILABLE after 9 attempts)",
  ]);
});

test("a lookup may get no answer, but an existing stock must not be reported as missing", async () => {
  const failed = (status: number) => ({ url, status, text: "" });
  expect(await verdict({ failedLookups: [failed(0), failed(503)] })).toEqual([]);
  expect(await verdict({ failedLookups: [failed(404)] })).toEqual([expect.stringMatching(/^I6 other: .*\(got 404/)]);
});
