/**
 * The metrics for Prometheus: latencies by route, trades by outcome, the state of the cluster, the process.
 *
 * A request only increments numbers; all other work is done at each scrape.
 */

import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { ClusterState, ReplicaState } from "../bazaar.ts";
import { leaderOf, replicaLag } from "./cluster-view.ts";
import { NewestTimes, RouteLatencies, type RouteTimer } from "./latency.ts";

const tradeOutcomes = [
  "accepted",
  "insufficient_quantity",
  "invalid_stockname",
  "invalid_request",
  "key_reused",
  "unavailable",
  "internal_error",
] as const;
export type TradeOutcome = (typeof tradeOutcomes)[number];

export interface Metrics {
  readonly contentType: string;
  routeTimer(route: string, method: string): RouteTimer;
  countTrade(outcome: TradeOutcome): void;
  /** Returns how long the requests to trade took since the last call, whatever their outcome, in ms, shortest first. */
  takeTradeTimes(): Float64Array;
  /** Returns the text for Prometheus, without the metrics of the cluster if its state is unknown. */
  render(cluster: ClusterState | undefined): Promise<string>;
}

/** Every route that trades. A test compares them with the OpenAPI document. */
const tradeRoutes = ["POST /orders", "POST /order", "POST /buy"];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const latencies = new RouteLatencies(
    "bazaar_http_request_duration_seconds",
    "Time from a request's arrival to its reply, in seconds; HEAD counts as GET",
  );
  const tradeTimes = new NewestTimes();
  const counts = new Map<TradeOutcome, number>(tradeOutcomes.map((outcome) => [outcome, 0]));
  const trades = new Counter({
    name: "bazaar_trades_total",
    help: "Requests to trade, by outcome",
    labelNames: ["outcome"] as const,
    registers: [],
    collect() {
      this.reset();
      for (const [outcome, count] of counts) this.inc({ outcome }, count);
    },
  });

  registry.registerMetric(trades);

  return {
    contentType: registry.contentType,
    routeTimer(route, method) {
      const timer = latencies.timer(route, method);
      if (!tradeRoutes.includes(`${method} ${route}`)) return timer;
      return {
        observe(status, elapsedMs) {
          timer.observe(status, elapsedMs);
          tradeTimes.add(elapsedMs);
        },
      };
    },
    countTrade: (outcome) => void counts.set(outcome, (counts.get(outcome) ?? 0) + 1),
    takeTradeTimes: () => tradeTimes.take(),
    async render(cluster) {
      const registries = [registry, processRegistry()];
      if (cluster !== undefined) registries.push(clusterRegistry(cluster));
      return [latencies.render(), ...(await Promise.all(registries.map((part) => part.metrics())))].join("\n");
    },
  };
}

/** Created for each scrape, so that a replica that is away doesn't keep its last values. */
function clusterRegistry(cluster: ClusterState): Registry {
  const registry = new Registry();
  const registers = [registry];
  const labelNames = ["replica"] as const;
  const gauge = (name: string, help: string, value: number) => new Gauge({ name, help, registers }).set(value);
  const counter = (name: string, help: string, value: number) => new Counter({ name, help, registers }).inc(value);
  const perReplica = (name: string, help: string, value: (replica: ReplicaState) => number | null | undefined) => {
    const metric = new Gauge({ name, help, labelNames, registers });
    for (const replica of cluster.replicas) {
      const known = value(replica);
      if (known !== null && known !== undefined) metric.set({ replica: replica.id }, known);
    }
  };
  const { cache, catalog } = cluster;
  const leader = leaderOf(cluster);

  gauge("bazaar_leader_id", "Id of the leader, 0 if there is none", cluster.leader);
  gauge("bazaar_leader_term", "The term of the leader", cluster.term);
  const answers = catalog.state === "live" || catalog.state === "read-only";
  if (leader?.status) {
    const help = "Followers that the leader has heard from within 500 ms";
    gauge("bazaar_live_followers", help, leader.status.liveFollowers.length);
  }
  gauge("bazaar_catalog_up", "1 if the catalog answers", answers ? 1 : 0);
  // Unknown while the catalog doesn't answer.
  if (answers)
    gauge("bazaar_catalog_writable", "1 if the catalog can write its ledger", catalog.state === "live" ? 1 : 0);
  if (catalog.head !== undefined) gauge("bazaar_ledger_head", "Number of the last order in the ledger", catalog.head);
  perReplica("bazaar_replica_up", "1 if the replica is live", ({ state }) => (state === "live" ? 1 : 0));
  perReplica("bazaar_replica_leads", "1 if the replica leads by its own status", ({ id }) =>
    id === leader?.id ? 1 : 0,
  );
  perReplica(
    "bazaar_replica_last_id",
    "Number of the last order that the replica holds",
    ({ status }) => status?.lastId,
  );
  perReplica("bazaar_replica_lag_orders", "Orders that the replica misses", (replica) => replicaLag(cluster, replica));
  counter("bazaar_cache_hits_total", "Lookups answered from the cache", cache.hits);
  counter("bazaar_cache_misses_total", "Lookups that asked the catalog", cache.misses);
  gauge("bazaar_cache_size", "Stocks in the cache", cache.size);
  gauge("bazaar_cache_capacity", "Largest number of stocks in the cache, 0 if it is off", cache.capacity);
  gauge("bazaar_cache_leased", "1 if the front-end may answer from its cache", cache.leased ? 1 : 0);
  return registry;
}

/** Metrics that prom-client reads from V8 and libuv. Bun has neither, and returns zeros or nothing. */
const meaninglessOnBun = [
  "nodejs_active_handles",
  "nodejs_active_handles_total",
  "nodejs_active_requests",
  "nodejs_active_requests_total",
  "nodejs_active_resources",
  "nodejs_active_resources_total",
  "nodejs_gc_duration_seconds",
  "nodejs_heap_space_size_available_bytes",
  "nodejs_heap_space_size_total_bytes",
  "nodejs_heap_space_size_used_bytes",
  "nodejs_version_info",
  // Reserved address space, which is gigabytes.
  "process_heap_bytes",
];

let processMetrics: Registry | undefined;

/** Shared by all apps of the process: each registry would start an event loop monitor of its own. */
function processRegistry(): Registry {
  if (processMetrics === undefined) {
    processMetrics = new Registry();
    collectDefaultMetrics({ register: processMetrics });
    for (const name of meaninglessOnBun) processMetrics.removeSingleMetric(name);
    countCpuSeconds(processMetrics);
  }
  return processMetrics;
}

/** Counts from the start of the process, as the names promise; prom-client counts from the first scrape. */
function countCpuSeconds(registry: Registry): void {
  const counter = (name: string, help: string, microseconds: (usage: NodeJS.CpuUsage) => number) => {
    registry.removeSingleMetric(name);
    return new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(microseconds(process.cpuUsage()) / 1e6);
      },
    });
  };
  counter("process_cpu_user_seconds_total", "User CPU time spent, in seconds", ({ user }) => user);
  counter("process_cpu_system_seconds_total", "System CPU time spent, in seconds", ({ system }) => system);
  counter(
    "process_cpu_seconds_total",
    "User and system CPU time spent, in seconds",
    ({ user, system }) => user + system,
  );
}
