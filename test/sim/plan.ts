/**
 * What a run is made of. Each seed draws a few kinds of faults and leaves the others out: a run in which everything
 * breaks all the time gets less far into the corners than one in which a few things break often.
 */

import type { Random } from "@stock-bazaar/shared/random";
import type { Habits } from "./workload.ts";
import type { Settings } from "./world.ts";

/** Themes of faults that meet in one corner. A run has one of them, or takes from all. */
const themes = {
  cache: [
    "cut front-end from catalog",
    "bad way from front-end to catalog",
    "kill catalog",
    "pause catalog",
    "pause front-end",
    "kill front-end",
    "failing way from front-end to catalog",
    "slow catalog",
  ],
  leader: [
    "kill leader",
    "kill replica",
    "pause leader",
    "pause replica",
    "cut front-end from replica",
    "bad way from front-end to replica",
    "slow disk",
  ],
  copies: ["wipe replica", "kill leader", "cut replicas", "bad way between replicas", "slow disk", "full disk"],
  ledger: [
    "kill catalog",
    "cut replica from catalog",
    "bad way from replica to catalog",
    "slow catalog",
    "full catalog",
    "kill leader",
  ],
  everything: ["kill all", "isolate", "bad weather"],
} as const;

/** How long faults last: shorter than a lease or a silence, about as long, or longer. */
export const spansMs: readonly (readonly [number, number])[] = [
  [5, 60],
  [60, 400],
  [400, 1500],
];

export type Theme = keyof typeof themes;
export type FaultKind = (typeof themes)[Theme][number];

export interface Plan {
  /** `undefined`: some of everything. */
  readonly theme: Theme | undefined;
  readonly kinds: readonly FaultKind[];
  /** Between two faults, on average. */
  readonly everyMs: number;
  /** How long one lasts, from and to; `undefined`: now so, now so. */
  readonly spanMs: readonly [number, number] | undefined;
}

export function drawPlan(random: Random): Plan {
  const theme = random.pick<Theme | undefined>([
    "cache",
    "cache",
    "cache",
    "leader",
    "copies",
    "ledger",
    "everything",
    undefined,
    undefined,
  ]);
  const pool: readonly FaultKind[] = theme ? themes[theme] : Object.values(themes).flat();
  const kinds = pool.filter(() => random.chance(theme ? 0.4 : 0.15));
  return {
    theme,
    kinds: kinds.length > 0 ? kinds : [random.pick(pool)],
    everyMs: random.pick([40, 150, 500]),
    spanMs: random.pick([...spansMs, undefined]),
  };
}

/** What a run is about decides what it is made of: without a cache, nothing can be stale. */
export function drawSettings(random: Random, { theme }: Plan): Settings {
  const isAboutCache = theme === "cache";
  const replicas = random.pick(isAboutCache ? [1, 2] : [2, 3, 3, 5]);
  const names = ["GameStart", "FishCo", "BoarCo"].slice(0, isAboutCache ? 3 : random.whole(1, 3));
  return {
    stocks: names.map((name) => ({
      name,
      priceCents: random.whole(1, 5000),
      quantity: random.pick([0, 5, 40, 1000]),
    })),
    replicas,
    frontEnds: random.pick(isAboutCache ? [2, 3] : [1, 2]),
    minCopies: random.chance(0.3) ? Math.min(2, replicas) : 1,
    leaseMs: 500,
    cacheSize: random.pick(isAboutCache ? [1, 100, 100, 100] : [0, 100]),
    cacheTtlMs: random.pick([0, 0, 300]),
    restockIntervalMs: random.pick([0, 200, 1000]),
    restockQuantity: 20,
    drift: random.pick([0, 0.05]),
    // Each time it is set, a cache rests until its next renewal.
    wallSetEveryMs: random.pick([undefined, undefined, 100, 700]),
    rpcTimeoutMs: random.pick([100, 300, 3000]),
    requestTimeoutMs: 5000,
  };
}

export function drawHabits(random: Random, { theme }: Plan): Habits {
  const isAboutCache = theme === "cache";
  return {
    clients: isAboutCache ? random.whole(4, 8) : random.whole(2, 5),
    thinkMs: random.pick([10, 40]),
    tradeChance: random.pick(isAboutCache ? [0.05, 0.2] : [0.3, 0.8]),
    repeatChance: random.pick([0, 0.2]),
    twiceChance: random.pick([0, 0.2]),
    lookChance: random.pick(isAboutCache ? [0.5, 1] : [0, 0.3]),
    loyalChance: random.pick([0, 1]),
    quantityMax: random.pick([1, 5, 30]),
  };
}
