/** A whole bazaar in memory, for tests of what stands in front of it: stocks, a ledger, keys and a cache. */

import type { Bazaar, CacheUse } from "@stock-bazaar/front-end/bazaar";
import type { Order, Outcome, Stock, Trade } from "@stock-bazaar/shared/domain";

export interface TestBazaar {
  readonly bazaar: Bazaar;
  close(): Promise<void>;
}

/** GameStart costs 15.99, FishCo 10.00, BoarCo 20.05; 100 of each, and no order yet. */
const seed = [
  { name: "GameStart", priceCents: 1599 },
  { name: "FishCo", priceCents: 1000 },
  { name: "BoarCo", priceCents: 2005 },
];
const seedQuantity = 100;
const cacheCapacity = 1000;

export function createTestBazaar(): Promise<TestBazaar> {
  const stocks = new Map<string, Stock>(
    seed.map((stock) => [stock.name, { ...stock, quantity: seedQuantity, volume: 0, rev: 0 }]),
  );
  const ledger: Order[] = [];
  const outcomes = new Map<string, { fingerprint: string; outcome: Exclude<Outcome, { status: "key-reused" }> }>();
  const cached = new Map<string, Stock>();
  let hits = 0;
  let misses = 0;

  function decide({ key, name, type, quantity }: Trade): Exclude<Outcome, { status: "key-reused" }> {
    const stock = stocks.get(name);
    if (stock === undefined) return { status: "rejected", reason: "INVALID_STOCKNAME", replayed: false };
    if (type === "buy" && stock.quantity < quantity) {
      return { status: "rejected", reason: "INSUFFICIENT_QUANTITY", replayed: false };
    }
    const id = ledger.length + 1;
    const createdAt = new Date().toISOString();
    ledger.push({ id, key, name, type, quantity, priceCents: stock.priceCents, term: 1, createdAt });
    const left = type === "buy" ? stock.quantity - quantity : stock.quantity + quantity;
    stocks.set(name, { ...stock, quantity: left, volume: stock.volume + quantity, rev: id });
    cached.delete(name);
    return { status: "accepted", orderId: id, replayed: false };
  }

  const bazaar: Bazaar = {
    async lookup(name) {
      const known = cached.get(name);
      const stock = known ?? stocks.get(name);
      if (known !== undefined) hits++;
      else misses++;
      if (stock !== undefined) cached.set(name, stock);
      const cache: CacheUse = known === undefined ? "miss" : "hit";
      return { stock, cache };
    },
    lookupCached: (name) => cached.get(name),
    dropCached: (name) => void cached.delete(name),
    stocks: async () => [...stocks.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    async trade(trade) {
      const fingerprint = JSON.stringify([trade.name, trade.type, trade.quantity]);
      const known = outcomes.get(trade.key);
      if (known !== undefined) {
        return known.fingerprint === fingerprint ? { ...known.outcome, replayed: true } : { status: "key-reused" };
      }
      const outcome = decide(trade);
      outcomes.set(trade.key, { fingerprint, outcome });
      return outcome;
    },
    order: async (id) => ledger[id - 1],
    orders: async ({ before, limit }) =>
      ledger
        .filter(({ id }) => before === 0 || id < before)
        .toReversed()
        .slice(0, limit),
    cluster: async () => ({
      leader: 3,
      term: 1,
      replicas: [1, 2, 3].map((id) => ({
        id,
        state: "live",
        status: {
          replica: id,
          role: id === 3 ? "leader" : "follower",
          term: 1,
          leader: 3,
          lastId: ledger.length,
          liveFollowers: id === 3 ? [1, 2] : [],
        },
      })),
      catalog: { state: "live", head: ledger.length },
      cache: { capacity: cacheCapacity, size: cached.size, hits, misses, leased: true },
    }),
  };
  return Promise.resolve({ bazaar, close: () => Promise.resolve() });
}
