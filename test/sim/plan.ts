/**
 * Draws the faults, settings and habits of a run from its seed. Each seed draws a few kinds of faults and leaves the others
 * out: a few frequent faults reach rarer states than all faults at once.
 */

import type { Random } from "@stock-bazaar/shared/random";
import type { Habits } from "./workload.ts";
import type { SharedSettings } from "./shared-ledger.ts";
import type { Settings } from "./world.ts";

/** Kinds of faults that act on the same part of the protocol. A run has one theme, or draws from all. */
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
    "stop catalog",
    "stop front-end",
    "sleep front-end",
    "sleep catalog",
  ],
  leader: [
    "kill leader",
    "kill replica",
    "pause leader",
    "pause replica",
    "cut front-end from replica",
    "bad way from front-end to replica",
    "slow disk",
    "stop replica",
    "sleep replica",
    "cut leader from catalog",
  ],
  copies: [
    "wipe replica",
    "kill leader",
    "cut replicas",
    "bad way between replicas",
    "slow disk",
    "full disk",
    "power cut",
  ],
  ledger: [
    "kill catalog",
    "cut replica from catalog",
    "bad way from replica to catalog",
    "slow catalog",
    "full catalog",
    "kill leader",
    "sync fails",
    "stop catalog",
    "cut leader from catalog",
    "seed",
    "power cut",
    "power cut of all",
  ],
  history: [
    "lose catalog",
    "old catalog",
    "kill leader",
    "kill replica",
    "kill front-end",
    "kill catalog",
    "stop catalog",
    "stop replica",
    "power cut",
    "power cut of all",
  ],
  reach: ["cut for good", "cut leader from catalog", "cut front-end from catalog", "kill leader", "stop replica"],
  everything: ["kill all", "stop all", "isolate", "bad weather", "power cut of all"],
} as const;

/** The faults of runs in which several catalogs share a ledger, besides those of the catalog and of the callers. */
const sharedThemes = {
  stand: [
    "kill catalog",
    "pause catalog",
    "freeze in transaction",
    "stick in transaction",
    "cut catalog from database",
    "stop catalog",
  ],
  database: [
    "bad way from catalog to database",
    "slow database",
    "sessions end",
    "statements fail",
    "connections go silent",
    "freeze in transaction",
    "pause catalog",
    "seed",
  ],
  callers: [
    "cut front-end from catalog",
    "bad way from front-end to catalog",
    "failing way from front-end to catalog",
    "pause front-end",
    "kill front-end",
    "sleep catalog",
    "isolate catalog",
    "pause catalog",
  ],
  leader: ["kill leader", "pause leader", "kill catalog", "cut leader from catalog", "bad way from replica to catalog"],
} as const;

const dayMs = 24 * 3_600_000;

/** Ranges of a fault's duration: shorter than a lease or a status timeout, about as long, or longer. */
export const spansMs: readonly (readonly [number, number])[] = [
  [5, 60],
  [60, 400],
  [400, 1500],
];

type Theme = keyof typeof themes;
type SharedTheme = keyof typeof sharedThemes;
export type FaultKind = (typeof themes)[Theme][number] | (typeof sharedThemes)[SharedTheme][number];

export interface Plan {
  /** `undefined` if the kinds are drawn from all themes. */
  readonly theme: Theme | undefined;
  readonly kinds: readonly FaultKind[];
  /** Average time between two faults. */
  readonly everyMs: number;
  /** Shortest and longest duration of a fault; `undefined` if each fault draws its range from `spansMs`. */
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
    "history",
    "reach",
    "everything",
    undefined,
    undefined,
  ]);
  const pool: readonly FaultKind[] = theme ? themes[theme] : Object.values(themes).flat();
  const kinds = pool.filter(() => random.chance(theme ? 0.4 : 0.15));
  return {
    theme,
    kinds: together(kinds.length > 0 ? kinds : [random.pick(pool)]),
    everyMs: random.pick([40, 150, 500]),
    spanMs: random.pick([...spansMs, undefined]),
  };
}

/** The plan of a run in which several catalogs share a ledger. */
export function drawSharedPlan(random: Random): Plan {
  const theme = random.pick<SharedTheme | undefined>([
    "stand",
    "stand",
    "database",
    "callers",
    "callers",
    "leader",
    undefined,
  ]);
  const pool: readonly FaultKind[] = theme ? sharedThemes[theme] : Object.values(sharedThemes).flat();
  const kinds = pool.filter(() => random.chance(theme ? 0.5 : 0.25));
  return {
    // The settings and habits that make old values visible.
    theme: theme === "leader" ? "leader" : "cache",
    kinds: kinds.length > 0 ? kinds : [random.pick(pool)],
    everyMs: random.pick([40, 150, 500]),
    spanMs: random.pick([...spansMs, undefined]),
  };
}

/**
 * `timerLateMs` bounds the silence from below, as in production. Otherwise the active catalog is deposed again and again
 * because its beats are late: that breaks no promise, but nothing makes progress.
 */
export function drawShared(random: Random, timerLateMs: number): SharedSettings {
  return {
    catalogs: random.pick([2, 2, 3]),
    silenceMs: Math.max(random.pick([60, 200, 600]), 3 * timerLateMs),
    pace: random.pick([0.1, 0.3, 1]),
    failover: random.chance(0.3),
    limitsTransactions: random.chance(0.5),
  };
}

/** Of two kinds of faults that no promise covers together, keeps the first. */
function together(kinds: readonly FaultKind[]): readonly FaultKind[] {
  const without = (...others: readonly FaultKind[]) => kinds.filter((kind) => !others.includes(kind));
  // An old copy can only be noticed if the orders that it lacks exist elsewhere.
  if (kinds.includes("old catalog"))
    return without("wipe replica", "full disk", "lose catalog", "sync fails", "power cut", "power cut of all");
  if (kinds.includes("lose catalog")) return without("sync fails");
  return kinds;
}

/** Draws settings that fit the theme: without a cache, nothing can be stale. */
export function drawSettings(random: Random, { theme, kinds }: Plan): Settings {
  const isAboutCache = theme === "cache";
  // A rebuilt or copied ledger contains no lease but its own.
  const isReplaced = kinds.includes("lose catalog") || kinds.includes("old catalog");
  // The wall clock of a machine that slept must be right.
  const sleeps = kinds.some((kind) => kind.startsWith("sleep"));
  const replicas = random.pick(isAboutCache ? [1, 2] : [2, 3, 3, 5]);
  const names = ["GameStart", "FishCo", "BoarCo"].slice(0, isAboutCache ? 3 : random.whole(1, 3));
  return {
    stocks: names.map((name) => ({
      name,
      priceCents: random.whole(1, 5000),
      quantity: random.pick([0, 5, 40, 1000]),
    })),
    lateStock: { name: "LateCo", priceCents: 100, quantity: random.pick([5, 40]) },
    replicas,
    // Lasting cuts may leave only one replica reachable.
    minCopies: !kinds.includes("cut for good") && random.chance(0.3) ? Math.min(2, replicas) : 1,
    orderSynchronous: random.pick(["NORMAL", "NORMAL", "NORMAL", "FULL"]),
    leasesMs: isReplaced ? [500] : random.pick([[500], [500], [50, 500, 1500]]),
    cacheSizes: drawCacheSizes(random, isAboutCache),
    cacheTtlMs: random.pick([0, 0, 300]),
    restockIntervalMs: random.pick([0, 200, 1000]),
    restockQuantity: 20,
    drift: random.pick([0, 0.05]),
    // Each time the wall clock is set, a cache serves nothing until its next renewal.
    wallSetEveryMs: sleeps ? undefined : random.pick([undefined, undefined, 100, 700]),
    timerLateMs: random.pick([1, 1, 1, 30, 300]),
    rejectionsKeptMs: random.pick([dayMs, 400]),
    rpcTimeoutMs: random.pick([100, 300, 3000]),
    requestTimeoutMs: 5000,
  };
}

/** Draws a cache size for each front-end: sometimes one has no cache while the others do. */
function drawCacheSizes(random: Random, isAboutCache: boolean): number[] {
  const count = random.pick(isAboutCache ? [2, 3] : [1, 2]);
  const size = random.pick(isAboutCache ? [1, 100, 100, 100] : [0, 100]);
  const isMixed = random.chance(0.2);
  return Array.from({ length: count }, (_, index) => (isMixed && index === 0 ? 0 : size));
}

export function drawHabits(random: Random, { theme, kinds }: Plan): Habits {
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
    seesOldCopies: kinds.includes("old catalog"),
  };
}
