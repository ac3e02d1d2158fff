/**
 * What Prometheus may ask: latencies by route, trades by outcome, the state of the cluster, the process.
 * Requests only add to numbers; everything else is done when somebody scrapes.
 */

import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { ClusterState, ReplicaState } from "../bazaar.ts";
import { leaderOf, replicaLag } from "./cluster-view.ts";
import { type LatencyBucket, RouteLatencies, type RouteTimer } from "./latency.ts";

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
  /** Of all requests to trade, whatever became of them; shortest first. */
  tradeLatencies(): LatencyBucket[];
  /** The text that Prometheus reads; without the cluster's part when its state is unknown. */
  render(cluster: ClusterState | undefined): Promise<string>;
}

/** Every route that trades: a test holds them against the OpenAPI document. */
const tradeRoutes = ["POST /orders", "POST /order", "POST /buy"];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const latencies = new RouteLatencies(
    "bazaar_http_request_duration_seconds",
    "Time from a request's arrival to its reply, in seconds; HEAD counts as GET",
  );
  const counts = new Map<TradeOutcome, number>(tradeOutcomes.map((outcome) => [outcome, 0]));
  const trades = new Counter({
    name: "bazaar_trades_total",
    help: "Requests to trade, by what became of them",
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
    routeTimer: (route, method) => latencies.timer(route, method),
    countTrade: (outcome) => void counts.set(outcome, (counts.get(outcome) ?? 0) + 1),
    tradeLatencies: () => latencies.together(tradeRoutes),
    async render(cluster) {
      const registries = [registry, processRegistry()];
      if (cluster !== undefined) registries.push(clusterRegistry(cluster));
      return [latencies.render(), ...(await Promise.all(registries.map((part) => part.metrics())))].join("\n");
    },
  };
}

/** Made anew for every scrape, so that a replica which has gone silent doesn't keep its last figures. */
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

  gauge("bazaar_leader_id", "The replica that leads, 0 for none", cluster.leader);
  gauge("bazaar_leader_term", "The term in which it leads", cluster.term);
  const answers = catalog.state === "live" || catalog.state === "read-only";
  gauge("bazaar_catalog_up", "1 if the catalog answers", answers ? 1 : 0);
  // Of one that doesn't answer it isn't known.
  if (answers) gauge("bazaar_catalog_writable", "1 if it can write its ledger", catalog.state === "live" ? 1 : 0);
  if (catalog.head !== undefined) gauge("bazaar_ledger_head", "The last order id of the ledger", catalog.head);
  perReplica("bazaar_replica_up", "1 if the replica is live", ({ state }) => (state === "live" ? 1 : 0));
  perReplica("bazaar_replica_leads", "1 if the replica leads, and says so", ({ id }) => (id === leader?.id ? 1 : 0));
  perReplica("bazaar_replica_last_id", "The last order id that the replica holds", ({ status }) => status?.lastId);
  perReplica("bazaar_replica_lag_orders", "Orders that the replica misses", (replica) => replicaLag(cluster, replica));
  counter("bazaar_cache_hits_total", "Lookups answered from the cache", cache.hits);
  counter("bazaar_cache_misses_total", "Lookups that asked the catalog", cache.misses);
  gauge("bazaar_cache_size", "Stocks in the cache", cache.size);
  gauge("bazaar_cache_capacity", "The most stocks that the cache may hold, 0 = off", cache.capacity);
  gauge("bazaar_cache_leased", "1 if the front-end may answer from its cache", cache.leased ? 1 : 0);
  return registry;
}

/** What prom-client asks of V8 and libuv, and Bun, which has neither, answers with zeros or nothing. */
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
  // The address space that is set aside, gigabytes of it.
  "process_heap_bytes",
];

let processMetrics: Registry | undefined;

/** One for the whole process, however many apps it makes: each would start its own event loop monitor. */
function processRegistry(): Registry {
  if (processMetrics === undefined) {
    processMetrics = new Registry();
    collectDefaultMetrics({ register: processMetrics });
    for (const name of meaninglessOnBun) processMetrics.removeSingleMetric(name);
    countCpuSeconds(processMetrics);
  }
  return processMetrics;
}

/** From the start of the process, as the names promise: prom-client counts from its own, the first scrape. */
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
