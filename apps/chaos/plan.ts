/**
 * Plans a round as a pure function of the seed and the round's number: which faults, when, for how long, and the load
 * meanwhile. The same plan may meet the processes in another state, because real processes don't repeat exactly; the
 * evidence of a failed round holds what really happened.
 *
 * A few rounds share one cluster with one setting and one set of databases, so that damage of one round can show in the
 * next. A campaign may begin in the middle of a cluster's rounds.
 */

import { Random } from "@stock-bazaar/shared/random";
import { type Fault, faults as allFaults } from "./faults/index.ts";
import type { FaultName } from "./faults/names.ts";
import { seededStocks } from "./clients/traffic.ts";

export interface PlanOptions {
  readonly seed: number;
  /** The time in which faults happen. A round takes longer: it ends when the cluster works again. */
  readonly roundMs: number;
  readonly frontEnds: number;
  /** How many clients trade. */
  readonly clients: number;
  /** The most catalogs of a cluster. Several need a ledger on a server. Default: 1. */
  readonly catalogsMax?: number;
  /** The faults to choose from. */
  readonly faults: readonly FaultName[];
}

/** The settings with which the processes of a cluster start. */
export interface Setting {
  readonly cacheSize: number;
  readonly cacheLeaseMs: number;
  readonly minCopies: number;
  readonly restocks: boolean;
  readonly rpcTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** The service whose disk can be filled. */
  readonly smallDisk: string | undefined;
  /** Whether links can be cut. */
  readonly relays: boolean;
  /** Whether the catalog's database has its own folder. */
  readonly catalogApart: boolean;
  readonly catalogs: number;
}

export interface PlannedFault {
  readonly name: FaultName;
  /** When it begins, from the start of the round. */
  readonly afterMs: number;
  /** How long it lasts before it is mended. */
  readonly holdMs: number;
  /** A number from 0 to 1 that selects the target or the moment, if the fault leaves that open. */
  readonly choice: number;
}

export interface RoundPlan {
  /** Counts from 1. */
  readonly round: number;
  /** Rounds with the same number share a cluster. */
  readonly cluster: number;
  readonly setting: Setting;
  readonly load: LoadPlan;
  /** In order of their begin. */
  readonly faults: readonly PlannedFault[];
}

export interface LoadPlan {
  readonly frontEnds: number;
  readonly clients: number;
  /** Clients that send every trade to two front-ends at once. */
  readonly twins: number;
  readonly readers: number;
  readonly queries: number;
  /** Few stocks, so that several clients use the same ones. */
  readonly stocks: readonly string[];
  /** The share of trades that buy, from 0 to 1. */
  readonly buys: number;
}

export const roundsPerCluster = 5;
export const replicas = 3;
const faultsMax = 3;
/** The share of a round in which faults begin; the rest shows what they left behind. */
const faultsBeginWithin = 0.6;

export function planRound(round: number, options: PlanOptions): RoundPlan {
  const { seed, roundMs, frontEnds, clients } = options;
  const cluster = Math.ceil(round / roundsPerCluster);
  const allowed = allFaults.filter(({ name }) => options.faults.includes(name));
  const setting = planSetting(new Random(seed, cluster, 0), allowed, options);
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
      // More buys than sells with restocks, so that stocks run out.
      buys: setting.restocks ? 0.75 : 0.5,
    },
    faults: faults.sort((a, b) => a.afterMs - b.afterMs),
  };
}

function planSetting(random: Random, allowed: readonly Fault[], { catalogsMax = 1 }: PlanOptions): Setting {
  const requestTimeoutMs = random.pick([2000, 10_000]);
  const setting = {
    cacheSize: random.pick([0, 2, 1000]),
    // A long lease gives a cache more time to be wrong, but must be shorter than a request's timeout.
    cacheLeaseMs: requestTimeoutMs === 10_000 ? random.pick([500, 2000]) : 500,
    minCopies: random.pick([1, 1, 2]),
    restocks: random.chance(0.3),
    rpcTimeoutMs: random.pick([1000, 3000]),
    requestTimeoutMs,
  };
  // At least one fault is always possible. The needs of others make a cluster unlike those in use (an fsync in memory
  // is free, and a relay takes time), so only half of the clusters have them.
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
    catalogs: random.whole(sure.needsStandby ? 2 : 1, Math.max(sure.needsStandby ? 2 : 1, catalogsMax)),
  };
}

function isPossible(fault: Fault, { smallDisk, relays, catalogApart, catalogs }: Setting): boolean {
  const { needsSmallDisk, needsRelays, needsCatalogApart, needsStandby } = fault;
  if (needsStandby === true && catalogs === 1) return false;
  if (needsRelays === true && !relays) return false;
  if (needsCatalogApart === true && !catalogApart) return false;
  if (needsSmallDisk === undefined) return true;
  return smallDisk !== undefined && needsSmallDisk === (smallDisk === "catalog" ? "catalog" : "replica");
}

function holdMs({ holdMs }: Fault, random: Random): number {
  const [min, max] = random.pick(holdMs);
  return random.whole(min, max);
}
