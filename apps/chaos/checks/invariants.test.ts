/** Shows each check the kind of damage that it is there for: a check that can't fail checks nothing. */

import type { TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { beforeEach, describe, expect, test } from "vitest";
import { violations } from "./invariants.ts";
import { openCopies, ordersByKey, readLedger, untilEqual } from "./snapshot.ts";
import {
  initialQuantities,
  type SoundDatabases,
  soundDatabases,
  soundRecords,
  tradeRecord,
} from "../../../test/support/sound-databases.ts";

let databases: SoundDatabases;

beforeEach(() => {
  databases = soundDatabases();
});

async function check(records: readonly TradeRecord[] = soundRecords(), minCopies = 2): Promise<string[]> {
  const equal = [...databases.replicaFolders.keys()];
  const found = await untilEqual(
    databases,
    equal,
    (snapshot) => violations(snapshot, { records, minCopies, equal, initialQuantities }),
    0,
  );
  return found.map(({ promise, harm, text }) => `${promise} ${harm}: ${text}`);
}

test("sound databases and correct replies break no promise", async () => {
  expect(await check()).toEqual([]);
});

describe("I1", () => {
  test("a stock with a quantity that its orders don't explain", async () => {
    databases.inCatalog("UPDATE stocks SET quantity = 90 WHERE name = 'GameStart'");
    expect(await check()).toEqual([expect.stringMatching(/^I1 other: .*"quantity":90,"explained":91/)]);
  });

  test("a volume that differs from the sum of the orders", async () => {
    databases.inCatalog("UPDATE stocks SET volume = 6 WHERE name = 'FishCo'");
    expect(await check()).toEqual([expect.stringMatching(/^I1 other: .*"volume":6,"traded":5/)]);
  });

  test("a stock with a negative quantity", async () => {
    databases.inCatalog(
      "INSERT INTO ledger SELECT 4, 'four', name, 'buy', 92, 1599, 1, created_at FROM ledger LIMIT 1",
    );
    databases.inCatalog("UPDATE register SET head = 4");
    databases.inCatalog("UPDATE stocks SET quantity = -1, volume = 103, rev = 4 WHERE name = 'GameStart'");
    for (const id of [1, 2])
      databases.inReplica(
        id,
        "INSERT INTO orders SELECT 4, 'four', name, 'buy', 92, 1599, 1, created_at FROM orders LIMIT 1",
      );
    expect(await check()).toEqual([expect.stringMatching(/^I1 other: .*"quantity":-1/)]);
  });

  test("orders of a stock that doesn't exist", async () => {
    databases.inCatalog("DELETE FROM stocks WHERE name = 'FishCo'");
    const found = await check();
    expect(found).not.toEqual([]);
    expect(found.filter((text) => !text.startsWith("I1 other: "))).toEqual([]);
  });
});

test("I2: a missing number", async () => {
  databases.inCatalog("DELETE FROM ledger WHERE id = 2");
  expect(await check([])).toContainEqual(expect.stringMatching(/^I2 other: \{"orders":2,"first":1,"last":3/));
});

test("I2: a register that is ahead of the ledger", async () => {
  databases.inCatalog("UPDATE register SET head = 4");
  expect(await check()).toContainEqual(expect.stringMatching(/^I2 other: .*"head":4/));
});

describe("I3", () => {
  test("a replica with an order that differs from the ledger's", async () => {
    databases.inReplica(2, "UPDATE orders SET quantity = 11 WHERE id = 1");
    expect(await check()).toEqual([
      expect.stringMatching(/^I3 other: replica 2 holds an order that the ledger lacks: /),
    ]);
  });

  test("a replica with a gap", async () => {
    databases.inReplica(1, "DELETE FROM orders WHERE id = 2");
    expect(await check()).toEqual([expect.stringMatching(/^I3 other: replica 1 has a gap: /)]);
  });

  test("a replica that is ahead of the ledger", async () => {
    databases.inReplica(1, "INSERT INTO orders SELECT 4, 'four', name, type, 1, 1, 1, created_at FROM orders LIMIT 1");
    expect(await check()).toContainEqual(
      expect.stringMatching(/^I3 other: replica 1 holds an order that the ledger lacks: /),
    );
  });
});

describe("I4", () => {
  const request = { key: "one", name: "GameStart", type: "buy", quantity: 10 } as const;

  test.each([
    ["an order that the ledger doesn't hold", { ...request, key: "lost" }, 4],
    ["an order under another number", request, 2],
    ["an order of another stock", { ...request, name: "FishCo" }, 1],
    ["an order with another quantity", { ...request, quantity: 9 }, 1],
    ["an order of the other side", { ...request, type: "sell" as const }, 1],
    ["a success without a number", request, undefined],
  ])("acknowledged: %s", async (_case, sent, orderNumber) => {
    const found = await check([tradeRecord(sent, { orderNumber })], 1);
    expect(found).toContainEqual(expect.stringMatching(/^I4 lost: acknowledged, but the ledger differs: /));
  });

  test("rejected, but executed", async () => {
    const rejected = tradeRecord(request, { status: 400, reason: "INSUFFICIENT_QUANTITY", orderNumber: undefined });
    expect(await check([rejected])).toEqual([expect.stringMatching(/^I4 doubled: rejected, but executed: /)]);
  });

  test("a key that is in the ledger twice", async () => {
    databases.inCatalog("DROP INDEX ledger_key; UPDATE ledger SET key = 'one' WHERE id = 3");
    for (const id of [1, 2]) databases.inReplica(id, "UPDATE orders SET key = 'one' WHERE id = 3");
    expect(await check([])).toEqual(['I4 doubled: executed twice: {"key":"one","times":2}']);
  });

  test("two outcomes for one key", async () => {
    const rejected = tradeRecord(request, { status: 400, reason: "INVALID_STOCKNAME", orderNumber: undefined });
    expect(await check([tradeRecord(request), rejected])).toContainEqual(
      "I4 doubled: key one must have one outcome (got order 1 and INVALID_STOCKNAME)",
    );
  });

  test("a trade without an outcome may or may not have been executed", async () => {
    const unknown = { status: 503, reason: "UNAVAILABLE", orderNumber: undefined };
    expect(await check([tradeRecord(request, unknown), tradeRecord({ ...request, key: "new" }, unknown)])).toEqual([]);
  });
});

test("I5: an order that was acknowledged with too few copies", async () => {
  databases.inReplica(2, "DELETE FROM orders WHERE id = 3");
  const found = await check();
  expect(found).toContainEqual("I5 lost: order 3 was acknowledged; the replicas end at 3, 2");
  expect(await check(soundRecords(), 1)).not.toContainEqual(expect.stringMatching(/^I5/));

  const copies = openCopies(databases);
  expect([copies.of(2), copies.of(3), copies.of(4)]).toEqual([2, 1, 0]);
  copies.close();
});

test("I8: a replica that is behind at the end, after a wait for it to catch up", async () => {
  databases.inReplica(2, "DELETE FROM orders WHERE id = 3");
  expect(await check([])).toEqual(["I8 other: replica 2 ends at 2, not 3"]);

  const caughtUp = untilEqual(databases, [1, 2], () => "equal");
  databases.inReplica(2, "INSERT INTO orders SELECT * FROM orders LIMIT 0");
  databases.inReplica(
    2,
    "INSERT INTO orders VALUES (3, 'three', 'GameStart', 'sell', 1, 1599, 1, '2026-01-01T00:00:00.000Z')",
  );
  expect(await caughtUp).toBe("equal");
  expect(await check([])).toEqual([]);
});

test("orders are found by their keys, and the ledger is read in order of ids", async () => {
  expect((await ordersByKey(databases, ["three", "unknown", "one"])).map(({ id }) => id)).toEqual([1, 3]);
  expect((await readLedger(databases)).map(({ id }) => id)).toEqual([1, 2, 3]);
});
