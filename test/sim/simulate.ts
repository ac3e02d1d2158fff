/** One run: everything that is in it follows from its seed. */

import { Random } from "@stock-bazaar/shared/random";
import { CopiesWatch, differences, LedgerWatch, readLedger, readOrders, rebuiltDifferently } from "./checker.ts";
import { Faults } from "./faults.ts";
import { brokenOutcomes, staleAnswers } from "./history.ts";
import { drawHabits, drawPlan, drawSettings, type FaultKind } from "./plan.ts";
import { Workload } from "./workload.ts";
import { World } from "./world.ts";

export interface Run {
  readonly seed: number;
  /** Which promise was broken, and how; none if all held. */
  readonly violations: readonly string[];
  readonly faultKinds: readonly FaultKind[];
  readonly faults: number;
  readonly events: number;
  readonly trades: number;
  readonly lookups: number;
  readonly cacheHits: number;
  readonly orders: number;
  /** Only when asked for. */
  readonly trace: readonly string[];
}

/** Things break for this long. */
const stormMs = 2000;
/** I8: when nothing breaks any more, all is well within this time. */
const calmMs = 40_000;
/** Of one kind; the first are the most telling. */
const shownMax = 5;

export function simulate(seed: number, options: { trace?: boolean } = {}): Run {
  const random = new Random(seed);
  const plan = drawPlan(random);
  const settings = drawSettings(random, plan);
  const habits = drawHabits(random, plan);
  const violations = new Set<string>();
  const trace: string[] = [];
  const found = (lines: readonly string[]) => {
    for (const line of lines.slice(0, shownMax)) violations.add(line);
  };

  const world: World = new World(settings, random.fork(), {
    committed: () => found(ledgerWatch.look()),
    acknowledged(orderIds) {
      copiesWatch.look();
      for (const id of orderIds) {
        if (id > ledgerWatch.orders.length) found([`I5: order ${id} was acknowledged and isn't in the ledger`]);
        found(copiesWatch.tooFew(id, settings.minCopies));
      }
    },
    ended: (process, error) => found([`I8: ${process} ended itself: ${String(error)}`]),
    trace: (line) => trace.push(`${world.scheduler.nowMs.toFixed(2).padStart(9)}  ${line}`),
    isTracing: options.trace ?? false,
  });
  const initialQuantities = new Map(settings.stocks.map(({ name, quantity }) => [name, quantity]));
  const ledgerWatch = new LedgerWatch(world.catalogDatabase, initialQuantities);
  const copiesWatch = new CopiesWatch(world.replicas.map(({ lastId }) => lastId));
  const workload = new Workload(world, random.fork(), habits);
  const faults = new Faults(world, random.fork(), plan, () => copiesWatch.look());
  world.trace(`seed ${seed}: ${JSON.stringify({ ...settings, ...habits, ...plan })}`);

  try {
    world.startAll();
    workload.start();
    faults.start();
    world.scheduler.runUntil(stormMs);

    faults.stop();
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
      found([`I8: the replicas end at ${lastIds.join(", ")}, the ledger at ${ledgerWatch.orders.length}`]);
    }

    const ledger = readLedger(world.catalogDatabase);
    found(ledgerWatch.look());
    found(ledgerWatch.rewritten());
    for (const { name, database } of world.replicas) found(differences(name, readOrders(database), ledger));
    found(brokenOutcomes(workload.history, ledger).map((line) => `I4: ${line}`));
    found(staleAnswers(workload.history, ledger, initialQuantities).map((line) => `I6: ${line}`));
    found(workload.surprises);
    // A history that is wrong can't be replayed.
    const [replica] = world.replicas;
    if (replica && violations.size === 0) {
      found(rebuiltDifferently(world.catalogDatabase, replica.database, settings.stocks));
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
      trace,
    };
  } finally {
    world.close();
  }
}
