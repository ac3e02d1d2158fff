import type { TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { expect, test } from "vitest";
import { type LookupRecord, staleReads } from "./history.ts";
import { initialQuantities, soundRecords, tradeRecord } from "../../../test/support/sound-databases.ts";

const ledger = soundRecords().flatMap(({ request, orderNumber }) =>
  orderNumber === undefined ? [] : [{ ...request, id: orderNumber }],
);

/** Order n of the ledger was asked for at n * 100 and told at n * 100 + 10 ms. */
function check(lookups: readonly LookupRecord[], trades: readonly TradeRecord[] = soundRecords()): string[] {
  return staleReads(lookups, trades, ledger, initialQuantities);
}

function lookup(change: Partial<LookupRecord>): LookupRecord {
  const at = { startMs: 0, endMs: 1, url: "http://front-end-2", cache: "hit" };
  return { name: "GameStart", rev: 0, quantity: 100, ...at, ...change };
}

test("lookups that know what had been told are fine", () => {
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

test("a lookup that began before the change was told may answer either way", () => {
  expect(check([lookup({ startMs: 109, endMs: 150 })])).toEqual([]);
  expect(check([lookup({ rev: 1, quantity: 90, startMs: 109, endMs: 150 })])).toEqual([]);
});

test("a lookup that began after a trade had been told, and answers what was before it, is stale", () => {
  expect(check([lookup({ startMs: 112, endMs: 113 })])).toEqual([
    "lookup (hit) at http://front-end-2 knew GameStart at rev 0, begun 2.0 ms after a trade told rev 1",
  ]);
});

test("a lookup is stale as well when only another lookup had told", () => {
  const told = lookup({ rev: 1, quantity: 90, startMs: 102, endMs: 103, url: "http://front-end-1" });
  expect(check([told, lookup({ startMs: 104, endMs: 105 })])).toEqual([
    expect.stringMatching(/begun 1\.0 ms after a lookup \(hit\) at http:\/\/front-end-1 told rev 1/),
  ]);
});

test("a trade that is told a smaller number than one that had ended before it began went back in time", () => {
  const [first, , third] = soundRecords();
  if (!first || !third) throw new Error("no records");
  const late = { ...first, startMs: 400, endMs: 401 };
  expect(check([], [late, third])).toEqual([expect.stringMatching(/^trade knew GameStart at rev 1, begun/)]);
});

test("a quantity that the ledger doesn't give is told", () => {
  expect(check([lookup({ quantity: 99 })])).toEqual([
    "http://front-end-2 told 99 of GameStart at rev 0; the ledger says 100",
  ]);
  expect(check([lookup({ rev: 2, quantity: 90, startMs: 210, endMs: 211 })])).toEqual([
    "http://front-end-2 told 90 of GameStart at rev 2; the ledger says undefined",
  ]);
});

test("nobody knows an order before it is asked for", () => {
  expect(check([lookup({ rev: 1, quantity: 90, startMs: 50, endMs: 60 })])).toEqual([
    "lookup (hit) at http://front-end-2 knew order 1 of GameStart before anybody had asked for it",
  ]);
});

test("of two that ask with the same key the first counts", () => {
  const request = { key: "one", name: "GameStart", type: "buy", quantity: 10 } as const;
  const twin = tradeRecord(request, { startMs: 108, endMs: 120 });
  const early = lookup({ rev: 1, quantity: 90, startMs: 102, endMs: 104 });
  expect(check([early], [tradeRecord(request), twin])).toEqual([]);
});
