/** Runs one simulation of several ledgers beside each other, which its seed determines completely. */

import { whenInvariantBreaks } from "@stock-bazaar/shared/invariant";
import { Random } from "@stock-bazaar/shared/random";
import { readLedger } from "../checker.ts";
import { Faults } from "../faults.ts";
import type { Way } from "../network.ts";
import { drawHabits, drawPlan, drawSettings, drawShared, drawSharedPlan, type Plan } from "../plan.ts";
import { calmMs, findWayMs, type Run, sharedEvery, sharedStormMs, shownMax, stormMs } from "../simulate.ts";
import { Workload } from "../workload.ts";
import { doublyUsedKeys, historyOf, wrongNumbers } from "./checks.ts";
import { KeyReuse } from "./key-reuse.ts";
import { Partitions } from "./partitions.ts";

const replicas = 3;
/** Share of the faults that hit every partition at once, as when they share machines. */
const togetherChance = 0.3;

export function simulatePartitions(seed: number, count: number, options: { trace?: boolean } = {}): Run {
  const random = new Random(seed);
  const isShared = seed % sharedEvery === 0;
  const plan = isShared ? drawSharedPlan(random) : drawPlan(random);
  const drawn = drawSettings(random, plan);
  const settings = { ...drawn, replicas, ...(isShared && { shared: drawShared(random, drawn.timerLateMs) }) };
  const drawnHabits = drawHabits(random, plan);
  const habits = { ...drawnHabits, clients: drawnHabits.clients * count };
  const violations = new Set<string>();
  const trace: string[] = [];
  const found = (lines: readonly string[]) => {
    for (const line of lines.slice(0, shownMax)) violations.add(line);
  };

  whenInvariantBreaks(({ message }) => found([message]));
  const partitions = new Partitions({
    count,
    settings,
    random: random.fork(),
    found,
    trace: options.trace ? (line) => trace.push(line) : undefined,
  });
  const { all, scheduler, partitionOf } = partitions;
  const workload = new Workload(partitions, random.fork(), habits);
  const keyReuse = new KeyReuse(partitions, random.fork());
  const storm = new Storm(partitions, random.fork(), plan);
  partitions.trace(`seed ${seed}: ${JSON.stringify({ ...settings, ...habits, ...plan })}`);

  try {
    partitions.startAll();
    workload.start();
    keyReuse.start();
    storm.start();
    scheduler.runUntil(isShared ? sharedStormMs : stormMs);

    storm.stop();
    for (const { databases } of all) databases.heal();
    const { lastingCuts } = storm;
    if (lastingCuts.length > 0) {
      for (const world of partitions.worlds) world.heal(lastingCuts);
      found(blockedFrontEnds(partitions, lastingCuts, workload));
    }
    for (const world of partitions.worlds) world.heal();
    workload.stop();
    keyReuse.stop();
    const inTime = scheduler.nowMs + calmMs;
    if (!scheduler.runUntil(inTime, () => workload.isDone && keyReuse.isDone))
      found(["I8: a client is still waiting for an answer"]);
    let hasLooked = false;
    void workload.lookAtAll().then(() => (hasLooked = true));
    scheduler.runUntil(inTime, () => hasLooked && all.every(({ areReplicasEqual }) => areReplicasEqual));
    for (const watched of all) if (!watched.areReplicasEqual) watched.foundUnequal();

    found(wrongNumbers(workload.history, partitionOf, count));
    for (const [partition, watched] of all.entries())
      watched.check(historyOf(partition, workload.history, partitionOf, count));
    const ledgers = all.map(({ world, rebuilds }) => ({ orders: readLedger(world.catalogStore.database), rebuilds }));
    found(doublyUsedKeys(ledgers, keyReuse.reuses, settings.rejectionsKeptMs));
    found(workload.surprises);
    if (violations.size === 0) for (const watched of all) watched.checkRebuild();
    const { trades, lookups } = workload.history;
    return {
      seed,
      violations: [...violations],
      faultKinds: plan.kinds,
      faults: storm.count,
      events: scheduler.ran,
      trades: trades.length,
      lookups: lookups.length,
      cacheHits: lookups.filter(({ cache }) => cache === "hit").length,
      orders: all.reduce((sum, { orders }) => sum + orders, 0),
      takeovers: partitions.worlds.reduce(
        (sum, { sharedLedger }) => sum + (sharedLedger?.server.tables.extra.epoch ?? 0),
        0,
      ),
      trace,
    };
  } finally {
    partitions.close();
  }
}

/** Faults of all partitions: of one at a time, or the same one of each at once. */
class Storm {
  readonly #partitions: Partitions;
  readonly #random: Random;
  readonly #plan: Plan;
  readonly #faults: readonly Faults[];
  #isOver = false;

  constructor(partitions: Partitions, random: Random, plan: Plan) {
    this.#partitions = partitions;
    this.#random = random;
    this.#plan = plan;
    this.#faults = partitions.all.map(({ world, databases }) => new Faults(world, random.fork(), plan, databases));
  }

  get count(): number {
    return this.#faults.reduce((sum, { count }) => sum + count, 0);
  }

  get lastingCuts(): readonly Way[] {
    return this.#faults.flatMap(({ lastingCuts }) => lastingCuts);
  }

  start(): void {
    this.#partitions.scheduler.after(this.#random.exponential(this.#plan.everyMs / 2), () => {
      if (this.#isOver) return;
      const kind = this.#random.pick(this.#plan.kinds);
      const hit = this.#random.chance(togetherChance) ? this.#faults : [this.#random.pick(this.#faults)];
      for (const faults of hit) faults.strike(kind);
      this.start();
    });
  }

  stop(): void {
    this.#isOver = true;
    for (const faults of this.#faults) faults.stop();
  }
}

/** I8 while some ways stay cut: returns the front-ends that can't trade in a partition though they have a whole path to its catalog. */
function blockedFrontEnds(partitions: Partitions, cuts: readonly Way[], workload: Workload): string[] {
  const { scheduler } = partitions;
  const waiting = new Set<string>();
  for (const watched of partitions.all) {
    const [stock] = watched.world.settings.stocks;
    if (!stock) continue;
    for (const frontEnd of watched.ableFrontEnds(cuts)) {
      const what = `${frontEnd.name} completed no trade of ${stock.name}`;
      waiting.add(what);
      void workload.tradeAt(frontEnd, stock.name, partitions.mintedKey(stock.name)).then(() => waiting.delete(what));
    }
  }
  scheduler.runUntil(scheduler.nowMs + findWayMs, () => waiting.size === 0);
  return [...waiting].map(
    (what) => `I8: ${what} in ${findWayMs} ms, though only these ways stay cut: ${JSON.stringify(cuts)}`,
  );
}
