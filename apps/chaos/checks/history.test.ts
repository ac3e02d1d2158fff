import type { TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { expect, test } from "vitest";
import { type LookupRecord, staleReads } from "./history.ts";
import { initialQuantities, soundRecords, tradeRecord } from "../../../test/support/sound-databases.ts";

const ledger = soundRecords().flatMap(({ request, orderNumber }) =>
  orderNumber === undefined ? [] : [{ ...request, id: orderNumber }],
);

/** Order n of the ledger was requested at n * 100 ms and acknowledged at n * 100 + 10 ms. */
function check(lookups: readonly LookupRecord[], trades: readonly TradeRecord[] = soundRecords()): string[] {
  return staleReads(lookups, trades, ledger, initialQuantities);
}

function lookup(change: Partial<LookupRecord>): LookupRecord {
  const at = { startMs: 0, endMs: 1, url: "http://front-end-2", cache: "hit" };
  return { name: "GameStart", rev: 0, quantity: 100, ...at, ...change };
}

test("lookups that show every acknowledged change pass", () => {
  expect(
    check([
      lookup({ startMs: 90, endMs: 105 }),
      lookup({ rev: 1, quantity: 90, startMs: 105, endMs: 106 }),
      lookup({ rev: 1, quantity: 90, startMs: 120, endMs: 200 }),
      lookup({ rev: 3, quantity: 91, startMs: 301, endMs: 305 }),
      lookup({ name: "FishCo", rev: 2, quantity: 55, startMs: 400, endMs: 401 }),
    ]),
  ).toEqual([]);
});

test("a lookup that began before the acknowledgement may return the old or the new value", () => {
  expect(check([lookup({ startMs: 109, endMs: 150 })])).toEqual([]);
  expect(check([lookup({ rev: 1, quantity: 90, startMs: 109, endMs: 150 })])).toEqual([]);
});

test("a lookup that began after a trade's acknowledgement and returns the older value is stale", () => {
  expect(check([lookup({ startMs: 112, endMs: 113 })])).toEqual([
    "lookup (hit) at http://front-end-2 returned rev 0 of GameStart; it began 2.0 ms after a trade had returned rev 1",
  ]);
});

test("a lookup is stale too if only another lookup returned the newer value", () => {
  const earlier = lookup({ rev: 1, quantity: 90, startMs: 102, endMs: 103, url: "http://front-end-1" });
  expect(check([earlier, lookup({ startMs: 104, endMs: 105 })])).toEqual([
    expect.stringMatching(/began 1\.0 ms after a lookup \(hit\) at http:\/\/front-end-1 had returned rev 1/),
  ]);
});

test("a trade with a smaller number than a trade that ended before it began is out of order", () => {
  const [first, , third] = soundRecords();
  if (!first || !third) throw new Error("no records");
  const late = { ...first, startMs: 400, endMs: 401 };
  expect(check([], [late, third])).toEqual([expect.stringMatching(/^trade returned rev 1 of GameStart; it began/)]);
});

test("a quantity that doesn't follow from the ledger is reported", () => {
  expect(check([lookup({ quantity: 99 })])).toEqual([
    "GameStart at rev 0 must have quantity 100 (got 99 from http://front-end-2)",
  ]);
  expect(check([lookup({ rev: 2, quantity: 90, startMs: 210, endMs: 211 })])).toEqual([
    "GameStart at rev 2 must have quantity undefined (got 90 from http://front-end-2)",
  ]);
});

test("a reply must not show an order before it is requested", () => {
  expect(check([lookup({ rev: 1, quantity: 90, startMs: 50, endMs: 60 })])).toEqual([
    "lookup (hit) at http://front-end-2 returned order 1 of GameStart before a client had requested it",
  ]);
});

test("of two requests with the same key, the first one counts", () => {
  const request = { key: "one", name: "GameStart", type: "buy", quantity: 10 } as const;
  const twin = tradeRecord(request, { startMs: 108, endMs: 120 });
  const early = lookup({ rev: 1, quantity: 90, startMs: 102, endMs: 104 });
  expect(check([early], [tradeRecord(request), twin])).toEqual([]);
});
