/**
 * What Prometheus may ask: latencies by route, trades by outcome, the state of the cluster, the process.
 * Requests only add to numbers; everything else is read when somebody scrapes.
 */

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ClusterState, ReplicaState } from "../bazaar.ts";
import type { LatencyBucket } from "../events/traffic.ts";
import { leaderOf, replicaLag } from "./cluster-view.ts";

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

/** Counts the replies of one route. */
export interface RouteTimer {
  observe(status: number, elapsedMs: number): void;
}

export interface Metrics {
  readonly contentType: string;
  routeTimer(route: string, method: string): RouteTimer;
  countTrade(outcome: TradeOutcome): void;
  /** Of all requests to trade that were answered with an outcome, shortest first. */
  tradeLatencies(): Promise<LatencyBucket[]>;
  /** The text that Prometheus reads; without the cluster's part when its state is unknown. */
  render(cluster: ClusterState | undefined): Promise<string>;
}

/** From a cached lookup (tens of microseconds) to a request that waited through a failover. */
const latencyBucketsSeconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
/** The routes that trade; a test holds them against the document. */
const tradeRoutes = new Set(["/orders", "/order", "/buy"]);
const statusClasses = ["0xx", "1xx", "2xx", "3xx", "4xx", "5xx"] as const;

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const latency = new Histogram({
    name: "bazaar_http_request_duration_seconds",
    help: "Time from a request's arrival to its reply, in seconds; HEAD counts as GET",
    labelNames: ["route", "method", "status"] as const,
    buckets: latencyBucketsSeconds,
    registers,
  });
  const trades = new Counter({
    name: "bazaar_trades_total",
    help: "Requests to trade, by what became of them",
    labelNames: ["outcome"] as const,
    registers,
  });
  const tradeCounters = Object.fromEntries(
    tradeOutcomes.map((outcome) => {
      trades.inc({ outcome }, 0);
      return [outcome, trades.labels(outcome)] as const;
    }),
  ) as Record<TradeOutcome, { inc(): void }>;

  return {
    contentType: registry.contentType,
    routeTimer(route, method) {
      const timers: ReturnType<typeof latency.labels>[] = [];
      return {
        observe(status, elapsedMs) {
          const index = Math.trunc(status / 100);
          const timer = (timers[index] ??= latency.labels(route, method, statusClasses[index] ?? "5xx"));
          timer.observe(elapsedMs / 1000);
        },
      };
    },
    countTrade: (outcome) => tradeCounters[outcome].inc(),
    async tradeLatencies() {
      const counts = new Map([...latencyBucketsSeconds, Infinity].map((upToSeconds) => [upToSeconds, 0]));
      for (const { labels, value } of (await latency.get()).values) {
        const { route, method, status, le }: Partial<Record<string, string | number>> = labels;
        if (le === undefined || method !== "POST" || status === "5xx" || !tradeRoutes.has(String(route))) continue;
        const upToSeconds = Number(String(le).replace("+Inf", "Infinity"));
        counts.set(upToSeconds, (counts.get(upToSeconds) ?? 0) + value);
      }
      return [...counts].map(([upToSeconds, count]) => ({ upToSeconds, count }));
    },
    async render(cluster) {
      const registries = [registry, processRegistry()];
      if (cluster !== undefined) registries.push(clusterRegistry(cluster));
      return (await Promise.all(registries.map((part) => part.metrics()))).join("\n");
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
  gauge("bazaar_catalog_up", "1 if the catalog answers", catalog.state === "live" ? 1 : 0);
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
];

let processMetrics: Registry | undefined;

/** One for the whole process, however many apps it makes: each would start its own event loop monitor. */
function processRegistry(): Registry {
  if (processMetrics === undefined) {
    processMetrics = new Registry();
    collectDefaultMetrics({ register: processMetrics });
    for (const name of meaninglessOnBun) processMetrics.removeSingleMetric(name);
  }
  return processMetrics;
}
