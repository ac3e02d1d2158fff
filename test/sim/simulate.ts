/** Runs one simulation, which its seed determines completely. */

import { whenInvariantBreaks } from "@stock-bazaar/shared/invariant";
import { Random } from "@stock-bazaar/shared/random";
import type { InitialStock } from "./catalog-store.ts";
import { Faults } from "./faults.ts";
import { drawHabits, drawPlan, drawSettings, drawShared, drawSharedPlan, type FaultKind } from "./plan.ts";
import { Workload } from "./workload.ts";
import { WatchedWorld } from "./watched-world.ts";
import type { Way } from "./network.ts";

export interface Run {
  readonly seed: number;
  /** The broken promises; empty if all held. */
  readonly violations: readonly string[];
  readonly faultKinds: readonly FaultKind[];
  readonly faults: number;
  readonly events: number;
  readonly trades: number;
  readonly lookups: number;
  readonly cacheHits: number;
  readonly orders: number;
  /** How often a catalog has taken a shared ledger over. */
  readonly takeovers: number;
  /** Empty unless requested. */
  readonly trace: readonly string[];
}

/** In every so many seeds, several catalogs share a ledger. */
export const sharedEvery = 4;
/** Faults are injected for this long. */
export const stormMs = 2000;
/** Longer, since a takeover takes longer than a kill. */
export const sharedStormMs = 4000;
/** I8: after the last fault, every trade resolves and the replicas are equal within this time. */
export const calmMs = 40_000;
/** While some ways stay cut, a trade that is still possible may take this long. */
export const findWayMs = 20_000;
/** Violations shown of each check; the first are the most useful. */
export const shownMax = 5;

export function simulate(seed: number, options: { trace?: boolean } = {}): Run {
  const random = new Random(seed);
  const isShared = seed % sharedEvery === 0;
  const plan = isShared ? drawSharedPlan(random) : drawPlan(random);
  const drawn = drawSettings(random, plan);
  const settings = { ...drawn, ...(isShared && { shared: drawShared(random, drawn.timerLateMs) }) };
  const habits = drawHabits(random, plan);
  const violations = new Set<string>();
  const trace: string[] = [];
  const found = (lines: readonly string[]) => {
    for (const line of lines.slice(0, shownMax)) violations.add(line);
  };

  whenInvariantBreaks(({ message }) => found([message]));
  const watched = new WatchedWorld({
    settings,
    random: random.fork(),
    found,
    trace: options.trace ? (line) => trace.push(line) : undefined,
  });
  const { world, databases } = watched;
  const workload = new Workload(world, random.fork(), habits);
  const faults = new Faults(world, random.fork(), plan, databases);
  world.trace(`seed ${seed}: ${JSON.stringify({ ...settings, ...habits, ...plan })}`);

  try {
    world.startAll();
    workload.start();
    faults.start();
    world.scheduler.runUntil(isShared ? sharedStormMs : stormMs);

    faults.stop();
    databases.heal();
    if (faults.lastingCuts.length > 0) {
      world.heal(faults.lastingCuts);
      found(blockedFrontEnds(watched, faults.lastingCuts, workload));
    }
    world.heal();
    workload.stop();
    const inTime = world.scheduler.nowMs + calmMs;
    if (!world.scheduler.runUntil(inTime, () => workload.isDone))
      found(["I8: a client is still waiting for an answer"]);
    let hasLooked = false;
    void workload.lookAtAll().then(() => (hasLooked = true));
    if (!world.scheduler.runUntil(inTime, () => hasLooked && watched.areReplicasEqual)) watched.foundUnequal();

    watched.check(workload.history);
    found(workload.surprises);
    if (violations.size === 0) watched.checkRebuild();
    const { trades, lookups } = workload.history;
    return {
      seed,
      violations: [...violations],
      faultKinds: plan.kinds,
      faults: faults.count,
      events: world.scheduler.ran,
      trades: trades.length,
      lookups: lookups.length,
      cacheHits: lookups.filter(({ cache }) => cache === "hit").length,
      orders: watched.orders,
      takeovers: world.sharedLedger?.server.tables.extra.epoch ?? 0,
      trace,
    };
  } finally {
    world.close();
  }
}

/** I8 while some ways stay cut: returns the front-ends that can't trade though they have a whole path to the catalog. */
function blockedFrontEnds(watched: WatchedWorld, cuts: readonly Way[], workload: Workload): string[] {
  const { world } = watched;
  const [{ name: stock }] = world.settings.stocks as [InitialStock];
  const able = watched.ableFrontEnds(cuts);
  const waiting = new Set(able.map(({ name }) => name));
  for (const frontEnd of able)
    void workload.tradeAt(frontEnd, stock, world.newId()).then(() => waiting.delete(frontEnd.name));
  world.scheduler.runUntil(world.scheduler.nowMs + findWayMs, () => waiting.size === 0);
  return [...waiting].map(
    (name) =>
      `I8: ${name} completed no trade in ${findWayMs} ms, though only these ways stay cut: ${JSON.stringify(cuts)}`,
  );
}
