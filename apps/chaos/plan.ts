/**
 * What will be done in a round, as a pure function of the seed and the round's number: which faults, when, for how
 * long, and what the clients trade meanwhile. The processes don't repeat themselves, so the same plan may meet them in
 * another state; what was found is in the history that is kept.
 *
 * A few rounds share one cluster, which has the same setting and databases throughout: then a mistake of one round has
 * time to show in the next. Its first round in a campaign need not be its first of the plan.
 */

import { Random } from "@stock-bazaar/shared/random";
import { type Fault, faults as allFaults } from "./faults/index.ts";
import type { FaultName } from "./faults/names.ts";
import { seededStocks } from "./clients/traffic.ts";

export interface PlanOptions {
  readonly seed: number;
  /** For the faults to begin in; a round takes longer, until all is well again. */
  readonly roundMs: number;
  readonly frontEnds: number;
  /** That trade one order after the other. */
  readonly clients: number;
  /** To choose from. */
  readonly faults: readonly FaultName[];
}

/** What the processes of a cluster are started with. */
export interface Setting {
  readonly cacheSize: number;
  readonly cacheLeaseMs: number;
  readonly minCopies: number;
  readonly restocks: boolean;
  readonly rpcTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** The service whose disk can be filled up. */
  readonly smallDisk: string | undefined;
  /** Links can be cut. */
  readonly relays: boolean;
  /** The catalog's database has a folder of its own. */
  readonly catalogApart: boolean;
}

export interface PlannedFault {
  readonly name: FaultName;
  /** From the round's begin. */
  readonly afterMs: number;
  /** How long it lasts before it is mended. */
  readonly holdMs: number;
  /** From 0 to 1: on whom, or in which moment, where the fault leaves that open. */
  readonly choice: number;
}

export interface RoundPlan {
  /** Counts from 1. */
  readonly round: number;
  /** Rounds with the same number share a cluster. */
  readonly cluster: number;
  readonly setting: Setting;
  readonly load: LoadPlan;
  /** In the order in which they begin. */
  readonly faults: readonly PlannedFault[];
}

export interface LoadPlan {
  readonly frontEnds: number;
  readonly clients: number;
  /** Clients that send every trade twice at once. */
  readonly twins: number;
  readonly readers: number;
  readonly queries: number;
  /** Few: clients meet at the same ones. */
  readonly stocks: readonly string[];
  /** Of 1: how many of the trades buy. */
  readonly buys: number;
}

export const roundsPerCluster = 5;
export const replicas = 3;
const faultsMax = 3;
/** The last part of a round is for what the faults have left behind. */
const faultsBeginWithin = 0.6;

export function planRound(round: number, options: PlanOptions): RoundPlan {
  const { seed, roundMs, frontEnds, clients } = options;
  const cluster = Math.ceil(round / roundsPerCluster);
  const allowed = allFaults.filter(({ name }) => options.faults.includes(name));
  const setting = planSetting(new Random(seed, cluster, 0), allowed);
  const random = new Random(seed, cluster, round);
  const possible = allowed.filter((fault) => isPossible(fault, setting));
  const faults = Array.from({ length: random.whole(1, faultsMax) }, () => {
    const fault = random.pick(possible);
    return {
      name: fault.name,
      afterMs: random.whole(0, roundMs * faultsBeginWithin),
      holdMs: holdMs(fault, random),
      choice: random.next(),
    };
  });
  return {
    round,
    cluster,
    setting,
    load: {
      frontEnds,
      clients,
      twins: random.whole(1, 3),
      readers: random.whole(1, 3) * frontEnds,
      queries: 2,
      stocks: random.sample(seededStocks, random.whole(2, 6)),
      // With restocks, stocks have to run out.
      buys: setting.restocks ? 0.75 : 0.5,
    },
    faults: faults.sort((a, b) => a.afterMs - b.afterMs),
  };
}

function planSetting(random: Random, allowed: readonly Fault[]): Setting {
  const requestTimeoutMs = random.pick([2000, 10_000]);
  const setting = {
    cacheSize: random.pick([0, 2, 1000]),
    // A long one gives a cache time to be wrong in; a request has to outlast it.
    cacheLeaseMs: requestTimeoutMs === 10_000 ? random.pick([500, 2000]) : 500,
    minCopies: random.pick([1, 1, 2]),
    restocks: random.chance(0.3),
    rpcTimeoutMs: random.pick([1000, 3000]),
    requestTimeoutMs,
  };
  // One fault is sure to be possible. What the others need makes a cluster unlike those in use (in memory an fsync is
  // nothing, and a relay takes time), so only some clusters have it.
  const sure = random.pick(allowed);
  const need = <Value extends string | true>(of: (fault: Fault) => Value | undefined): Value | undefined => {
    const values = allowed.flatMap((fault) => of(fault) ?? []);
    return of(sure) ?? (values.length > 0 && random.chance(0.5) ? random.pick(values) : undefined);
  };
  const owner = need(({ needsSmallDisk }) => needsSmallDisk);
  return {
    ...setting,
    smallDisk: owner === "replica" ? `order-${random.whole(1, replicas)}` : owner,
    relays: need(({ needsRelays }) => needsRelays) === true,
    catalogApart: need(({ needsCatalogApart }) => needsCatalogApart) === true || owner === "catalog",
  };
}

function isPossible(fault: Fault, { smallDisk, relays, catalogApart }: Setting): boolean {
  const { needsSmallDisk, needsRelays, needsCatalogApart } = fault;
  if (needsRelays === true && !relays) return false;
  if (needsCatalogApart === true && !catalogApart) return false;
  if (needsSmallDisk === undefined) return true;
  return smallDisk !== undefined && needsSmallDisk === (smallDisk === "catalog" ? "catalog" : "replica");
}

function holdMs({ holdMs }: Fault, random: Random): number {
  const [min, max] = random.pick(holdMs);
  return random.whole(min, max);
}
