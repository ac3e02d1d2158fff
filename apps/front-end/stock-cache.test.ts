import fc from "fast-check";
import type { Moment } from "@stock-bazaar/shared/clock";
import { describe, expect, test } from "vitest";
import { knownStockOf } from "../../test/support/builders.ts";
import { type Lease, StockCache } from "./stock-cache.ts";

const session = "session-1";

/** A moment at which both clocks agree. */
function now(ms: number, wallMs = ms): Moment {
  return { monotonicMs: ms, wallMs };
}

/** A lease that was requested at time 0. */
function until(leaseMs: number): Lease {
  return { sent: now(0), leaseMs };
}

function leasedCache(options: { capacity?: number; ttlMs?: number; leaseUntilMs?: number } = {}): StockCache {
  const cache = new StockCache({ capacity: options.capacity ?? 10, ttlMs: options.ttlMs ?? 0 });
  cache.begin(session, until(options.leaseUntilMs ?? 1000));
  return cache;
}

const at = (rev: number, name = "A") => knownStockOf(name, { rev, quantity: 100 - rev });

describe("lease (R8)", () => {
  test("a stock is served exactly while the lease runs", () => {
    const cache = leasedCache({ leaseUntilMs: 1000 });
    cache.fill(session, at(1), 10);
    expect(cache.get("A", now(999))).toEqual(at(1));
    expect(cache.get("A", now(1000))).toBeUndefined();
    expect(cache.state(now(999)).leased).toBe(true);
    expect(cache.state(now(1000)).leased).toBe(false);
  });

  test("a renewal extends the lease, and a late answer never shortens it", () => {
    const cache = leasedCache({ leaseUntilMs: 1000 });
    cache.fill(session, at(1), 10);
    cache.renew(until(1500));
    cache.renew(until(1200));
    expect(cache.get("A", now(1499))).toEqual(at(1));
    expect(cache.get("A", now(1500))).toBeUndefined();
  });

  test("after the machine has slept, nothing is served: only the wall clock kept running", () => {
    const cache = leasedCache({ leaseUntilMs: 1000 });
    cache.fill(session, at(1), 10);
    expect(cache.get("A", now(20, 999))).toEqual(at(1));
    expect(cache.get("A", now(20, 1000))).toBeUndefined();
    expect(cache.leased(now(20, 60_000))).toBe(false);
  });

  test("after the wall clock was set back, nothing is served: the time of a sleep is unknown", () => {
    const cache = leasedCache({ leaseUntilMs: 1000 });
    cache.fill(session, at(1), 10);
    expect(cache.get("A", now(20, -1))).toBeUndefined();
    // The next renewal counts from the new time.
    cache.renew({ sent: now(30, -3000), leaseMs: 1000 });
    expect(cache.get("A", now(40, -2990))).toEqual(at(1));
  });

  test("without a session nothing is served or stored", () => {
    const cache = new StockCache({ capacity: 10, ttlMs: 0 });
    cache.fill(cache.session, at(1), 0);
    cache.fill("", at(1), 0);
    expect(cache.get("A", now(0))).toBeUndefined();
    cache.begin(session, until(1000));
    expect(cache.get("A", now(0))).toBeUndefined();
  });

  test("entries of an earlier session are never served again", () => {
    const cache = leasedCache();
    cache.fill(session, at(1), 10);
    cache.end();
    expect(cache.get("A", now(20))).toBeUndefined();
    cache.begin("session-2", until(2000));
    expect(cache.get("A", now(20))).toBeUndefined();
    expect(cache.state(now(20))).toMatchObject({ size: 0, leased: true });
  });
});

describe("fills", () => {
  test("a lookup that was sent before the session began is not stored", () => {
    const cache = new StockCache({ capacity: 10, ttlMs: 0 });
    cache.begin("session-1", until(500));
    const sentDuring = cache.session;
    cache.end();
    // Order 2 changes the stock while this front-end has no session: it will never receive this change.
    cache.begin("session-2", until(1500));
    cache.fill(sentDuring, at(1), 600);
    expect(cache.get("A", now(600))).toBeUndefined();
    cache.fill(cache.session, at(2), 610);
    expect(cache.get("A", now(610))).toEqual(at(2));
  });

  test("a lookup that was sent before the first session is not stored either", () => {
    const cache = new StockCache({ capacity: 10, ttlMs: 0 });
    const sentDuring = cache.session;
    cache.begin("session-1", until(500));
    cache.fill(sentDuring, at(1), 10);
    expect(cache.get("A", now(10))).toBeUndefined();
  });

  test("a newer fill replaces an older one", () => {
    const cache = leasedCache();
    cache.fill(session, at(1), 10);
    cache.fill(session, at(2), 20);
    expect(cache.get("A", now(20))).toEqual(at(2));
    expect(cache.state(now(20)).size).toBe(1);
  });
});

test("`getAsked` returns a replaced stock only once a lookup has asked for it", () => {
  const cache = leasedCache();
  cache.fill(session, at(1), 10);
  expect(cache.getAsked("A", now(10))).toEqual(at(1));
  cache.replace(at(2), "life", 20);
  expect(cache.getAsked("A", now(20))).toBeUndefined();
  expect(cache.get("A", now(20))).toEqual(at(2));
  expect(cache.getAsked("A", now(20))).toEqual(at(2));
  expect(cache.getAsked("B", now(20))).toBeUndefined();
  expect(cache.state(now(20))).toMatchObject({ hits: 3, misses: 2 });
});

test("`peek` counts hits only", () => {
  const cache = leasedCache();
  expect(cache.peek("A", now(10))).toBeUndefined();
  cache.fill(session, at(1), 10);
  expect(cache.peek("A", now(10))).toEqual(at(1));
  expect(cache.state(now(10))).toMatchObject({ hits: 1, misses: 0 });
});

describe("changes", () => {
  test("a change evicts an older stock", () => {
    const cache = leasedCache();
    cache.fill(session, at(1), 10);
    cache.changed("A", 2);
    expect(cache.get("A", now(20))).toBeUndefined();
    expect(cache.state(now(20)).size).toBe(0);
  });

  test("a fill that is older than a change is not stored, one that is as new is", () => {
    const cache = leasedCache();
    cache.changed("A", 5);
    cache.fill(session, at(4), 10);
    expect(cache.get("A", now(10))).toBeUndefined();
    cache.fill(session, at(5), 20);
    expect(cache.get("A", now(20))).toEqual(at(5));
  });

  test("a change that the cached stock already contains evicts nothing", () => {
    const cache = leasedCache();
    cache.fill(session, at(5), 10);
    cache.changed("A", 5);
    expect(cache.get("A", now(10))).toEqual(at(5));
  });

  test("a change may replace a cached stock: it keeps its place in the LRU order, and its age starts again", () => {
    const cache = new StockCache({ capacity: 2, ttlMs: 100 });
    cache.begin(session, until(1000));
    cache.fill(session, at(1, "A"), 0);
    cache.fill(session, at(1, "B"), 10);
    cache.replace(at(5, "A"), "life", 90);
    expect(cache.state(now(90)).size).toBe(2);
    cache.fill(session, at(1, "C"), 95);
    expect(cache.get("A", now(95))).toBeUndefined();
    cache.replace(at(6, "B"), "life", 100);
    expect(cache.get("B", now(199))).toEqual(at(6, "B"));
    expect(cache.get("B", now(200))).toBeUndefined();
  });

  test("replacing raises the floor, adds no entry, and never replaces newer by older", () => {
    const cache = leasedCache();
    cache.replace(at(5), "life", 10);
    expect(cache.state(now(10)).size).toBe(0);
    cache.fill(session, at(4), 10);
    expect(cache.get("A", now(10))).toBeUndefined();
    cache.fill(session, at(7), 20);
    cache.replace(at(6), "life", 30);
    expect(cache.get("A", now(30))).toEqual(at(7));
  });

  test("changes that arrive out of order never lower the floor", () => {
    const cache = leasedCache();
    cache.changed("A", 5);
    cache.changed("A", 3);
    cache.fill(session, at(4), 10);
    expect(cache.get("A", now(10))).toBeUndefined();
  });

  test("a change of one stock leaves the others", () => {
    const cache = leasedCache();
    cache.fill(session, at(1, "A"), 10);
    cache.fill(session, at(1, "B"), 10);
    cache.changed("A", 2);
    expect(cache.get("B", now(20))).toEqual(at(1, "B"));
  });

  test("floors end with the session: a new session starts empty", () => {
    const cache = leasedCache();
    cache.changed("A", 5);
    cache.end();
    cache.begin("session-2", until(2000));
    cache.fill("session-2", at(4), 10);
    expect(cache.get("A", now(10))).toEqual(at(4));
  });
});

describe("dropping and ageing", () => {
  test("a dropped stock is gone, and may be stored again", () => {
    const cache = leasedCache();
    cache.fill(session, at(1), 10);
    cache.drop("A");
    cache.drop("never there");
    expect(cache.get("A", now(10))).toBeUndefined();
    cache.fill(session, at(1), 20);
    expect(cache.get("A", now(20))).toEqual(at(1));
    expect(cache.state(now(20)).size).toBe(1);
  });

  test("with CACHE_TTL_MS a stock is served exactly that long, however often it is read", () => {
    const cache = leasedCache({ ttlMs: 100 });
    cache.fill(session, at(1), 10);
    expect(cache.get("A", now(60))).toEqual(at(1));
    expect(cache.get("A", now(109))).toEqual(at(1));
    expect(cache.get("A", now(110))).toBeUndefined();
    expect(cache.state(now(110)).size).toBe(0);
  });

  test("hits and misses are counted", () => {
    const cache = leasedCache();
    cache.get("A", now(0));
    cache.fill(session, at(1), 0);
    cache.get("A", now(0));
    cache.get("A", now(0));
    expect(cache.state(now(0))).toEqual({ capacity: 10, size: 1, hits: 2, misses: 1, leased: true });
  });
});

describe("capacity", () => {
  test("0 turns the cache off", () => {
    const cache = leasedCache({ capacity: 0 });
    expect(cache.enabled).toBe(false);
    cache.fill(session, at(1), 0);
    expect(cache.get("A", now(0))).toBeUndefined();
    expect(cache.state(now(0)).size).toBe(0);
  });

  test.each([1, 2, 3, 7])("of %i keeps exactly the most recently used stocks", (capacity) => {
    const names = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"];
    const name = fc.constantFrom(...names);
    const step = fc.tuple(fc.constantFrom("fill" as const, "get" as const, "drop" as const), name);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const cache = leasedCache({ capacity });
        // The model: names, least recently used first.
        let kept: string[] = [];
        for (const [what, stock] of steps) {
          const wasThere = kept.includes(stock);
          if (what === "fill") {
            cache.fill(session, at(1, stock), 0);
            kept = [...kept.filter((other) => other !== stock), stock].slice(-capacity);
          } else if (what === "get") {
            expect(cache.get(stock, now(0)) !== undefined).toBe(wasThere);
            if (wasThere) kept = [...kept.filter((other) => other !== stock), stock];
          } else {
            cache.drop(stock);
            kept = kept.filter((other) => other !== stock);
          }
          expect(cache.state(now(0)).size).toBe(kept.length);
        }
        for (const stock of names) expect(cache.get(stock, now(0)) !== undefined).toBe(kept.includes(stock));
      }),
    );
  });
});
