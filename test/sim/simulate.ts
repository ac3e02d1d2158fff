/** Runs one simulation, which its seed determines completely. */

import { whenInvariantBreaks } from "@stock-bazaar/shared/invariant";
import { Random } from "@stock-bazaar/shared/random";
import { CopiesWatch, differences, LedgerWatch, readLedger, readOrders, rebuiltDifferently } from "./checker.ts";
import { DatabaseFaults } from "./database-faults.ts";
import { Faults } from "./faults.ts";
import { brokenOutcomes, type Circumstances, staleAnswers } from "./history.ts";
import { drawHabits, drawPlan, drawSettings, drawShared, drawSharedPlan, type FaultKind } from "./plan.ts";
import { Workload } from "./workload.ts";
import { World } from "./world.ts";
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
const sharedEvery = 4;
/** Faults are injected for this long. */
const stormMs = 2000;
/** Longer, since a takeover takes longer than a kill. */
const sharedStormMs = 4000;
/** I8: after the last fault, every trade resolves and the replicas are equal within this time. */
const calmMs = 40_000;
/** While some ways stay cut, a trade that is still possible may take this long. */
const findWayMs = 20_000;
/** Violations shown of each check; the first are the most useful. */
const shownMax = 5;

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
  let acknowledgedId = 0;
  const world: World = new World(settings, random.fork(), {
    committed: () => found(ledgerWatch.look()),
    acknowledged(leader, orderIds) {
      copiesWatch.look();
      for (const id of orderIds) {
        acknowledgedId = Math.max(acknowledgedId, id);
        if (id > ledgerWatch.orders.length) found([`I5: order ${id} was acknowledged and isn't in the ledger`]);
        if (id > catalogStore.syncedHead) found([`I5: order ${id} was acknowledged, but the ledger hasn't synced it`]);
        found(copiesWatch.tooFew(id, settings.minCopies, leader));
      }
    },
    ended: (process, error) => found([`I8: ${process} ended itself: ${String(error)}`]),
    trace: (line) => trace.push(`${world.scheduler.nowMs.toFixed(2).padStart(9)}  ${line}`),
    isTracing: options.trace ?? false,
  });
  const { catalogStore, scheduler } = world;
  const ledgerWatch = new LedgerWatch(
    () => catalogStore.database,
    () => catalogStore.initialStocks,
    () => scheduler.nowMs,
  );
  const copiesWatch = new CopiesWatch(world.replicas);
  const workload = new Workload(world, random.fork(), habits);
  const databases = new DatabaseFaults({
    world,
    ledgerWatch,
    copiesWatch,
    acknowledgedId: () => acknowledgedId,
    found,
  });
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
      found(blockedFrontEnds(world, faults.lastingCuts, workload));
    }
    world.heal();
    workload.stop();
    const inTime = world.scheduler.nowMs + calmMs;
    if (!world.scheduler.runUntil(inTime, () => workload.isDone))
      found(["I8: a client is still waiting for an answer"]);
    let hasLooked = false;
    void workload.lookAtAll().then(() => (hasLooked = true));
    const areEqual = () => world.replicas.every(({ lastId }) => lastId() === ledgerWatch.orders.length);
    if (!world.scheduler.runUntil(inTime, () => hasLooked && areEqual())) {
      const lastIds = world.replicas.map(({ lastId }) => lastId());
      found([`I8: the replicas end at orders ${lastIds.join(", ")}, the ledger at ${ledgerWatch.orders.length}`]);
    }

    const ledger = readLedger(catalogStore.database);
    const since = (name: string) => (name === settings.lateStock.name ? databases.seededMs : 0);
    const circumstances: Circumstances = {
      ledger,
      committedMs: (id) => ledgerWatch.committedMs(id),
      stocks: new Map(
        catalogStore.initialStocks.map(({ name, quantity }) => [name, { quantity, sinceMs: since(name) }]),
      ),
      rebuilds: ledgerWatch.rebuilds,
      rejectionsKeptMs: settings.rejectionsKeptMs,
      copies: databases.copies,
    };
    found(ledgerWatch.look());
    found(ledgerWatch.rewritten());
    for (const { name, database } of world.replicas) found(differences(name, readOrders(database), ledger));
    found(brokenOutcomes(workload.history, circumstances).map((line) => `I4: ${line}`));
    found(staleAnswers(workload.history, circumstances).map((line) => `I6: ${line}`));
    found(workload.surprises);
    // A wrong ledger can't be replayed.
    const [replica] = world.replicas;
    if (replica && violations.size === 0) {
      found(rebuiltDifferently(catalogStore.database, replica.database, catalogStore.initialStocks));
    }
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
      orders: ledger.length,
      takeovers: world.sharedLedger?.server.tables.extra.epoch ?? 0,
      trace,
    };
  } finally {
    world.close();
  }
}

/** I8 while some ways stay cut: returns the front-ends that can't trade though they have a whole path to the catalog. */
function blockedFrontEnds(world: World, cuts: readonly Way[], workload: Workload): string[] {
  const isWhole = (one: string, other: string) =>
    !cuts.some(([from, to]) => (from === one && to === other) || (from === other && to === one));
  const able = world.frontEnds.filter(
    (frontEnd) =>
      isWhole(frontEnd.name, "catalog") &&
      world.replicas.some(({ name }) => isWhole(frontEnd.name, name) && isWhole(name, "catalog")),
  );
  const waiting = new Set(able.map(({ name }) => name));
  for (const frontEnd of able) void workload.tradeAt(frontEnd).then(() => waiting.delete(frontEnd.name));
  world.scheduler.runUntil(world.scheduler.nowMs + findWayMs, () => waiting.size === 0);
  return [...waiting].map(
    (name) =>
      `I8: ${name} completed no trade in ${findWayMs} ms, though only these ways stay cut: ${JSON.stringify(cuts)}`,
  );
}
