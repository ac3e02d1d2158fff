/** The routes for the people who run the bazaar: health, readiness, the state of the cluster, metrics. */

import type { Bazaar, ClusterState } from "../bazaar.ts";
import { describeCluster, leaderOf } from "../http/cluster-view.ts";
import {
  catalogReadOnly,
  catalogRefuses,
  catalogSilent,
  frontEndStopping,
  noLeader,
  operationsOutage,
  otherVersion,
} from "../http/failures.ts";
import type { Metrics } from "../http/metrics.ts";
import { json, Reply } from "../http/reply.ts";
import { jsonDocs, type Route } from "../http/route.ts";
import { clusterReply, healthReply, readyReply } from "@stock-bazaar/contract/schemas";

const healthy = { data: { status: "ok" } } as const;
const ready = { data: { ready: true } } as const;

const exampleCluster: ClusterState = {
  leader: 3,
  term: 1,
  catalog: { state: "live", head: 10, stocks: 10 },
  replicas: [1, 2, 3].map((id) => ({
    id,
    state: "live",
    status: {
      replica: id,
      role: id === 3 ? "leader" : "follower",
      term: 1,
      leader: 3,
      lastId: 10,
      liveFollowers: id === 3 ? [1, 2] : [],
      reachesCatalog: true,
    },
  })),
  cache: { capacity: 1000, size: 4, hits: 120, misses: 4, leased: true },
  frontEnds: [{ address: "127.0.0.1:8080", live: true, dialect: "bazaar" }],
};

export interface OperationsDependencies {
  readonly bazaar: Bazaar;
  readonly metrics: Metrics;
  /** Whether the client may see the details of the cluster. */
  readonly isAdmin: (request: Request) => boolean;
  /** Aborts when this front-end is asked to stop. It still answers requests, but load balancers should send it no more. */
  readonly stopping?: AbortSignal | undefined;
}

export function operationsRoutes({ bazaar, metrics, isAdmin, stopping }: OperationsDependencies): Route[] {
  const isHealthy = json(healthy);
  const isReady = json(ready);
  return [
    {
      method: "GET",
      path: "/healthz",
      access: "open",
      handle: () => isHealthy,
      outage: operationsOutage,
      docs: {
        tag: "Operations",
        operationId: "isUp",
        alwaysAnswers: true,
        summary: "Is the process up?",
        success: jsonDocs("The process is up", healthReply, healthy),
        failures: [],
      },
    },
    {
      method: "GET",
      path: "/readyz",
      access: "open",
      async handle() {
        if (stopping?.aborted) return frontEndStopping;
        const cluster = await bazaar.cluster();
        switch (cluster.catalog.state) {
          case "refusing":
            return catalogRefuses;
          case "away":
            return cluster.otherVersion ? otherVersion : catalogSilent;
          case "read-only":
            return catalogReadOnly;
          case "live":
            if (leaderOf(cluster) !== undefined) return isReady;
            return cluster.otherVersion ? otherVersion : noLeader;
        }
      },
      outage: operationsOutage,
      docs: {
        tag: "Operations",
        operationId: "isReady",
        summary: "Do the catalog and a leader answer, and can trades be written?",
        success: jsonDocs("The bazaar is ready to trade", readyReply, ready),
        failures: [catalogSilent, catalogRefuses, catalogReadOnly, noLeader, otherVersion, frontEndStopping],
      },
    },
    {
      method: "GET",
      path: "/cluster",
      access: "read",
      handle: async ({ req }) => json(describeCluster(await bazaar.cluster(), isAdmin(req.raw))),
      outage: operationsOutage,
      docs: {
        tag: "Operations",
        operationId: "describeCluster",
        summary: "Every process and the cache, as this front-end sees them",
        description:
          "Where tokens are required, only a client with the scope `admin` gets addresses and the catalog's problem; others " +
          "get places in the list, like `#1`.",
        success: jsonDocs("The cluster", clusterReply, describeCluster(exampleCluster, true)),
        failures: [],
      },
    },
    {
      method: "GET",
      path: "/metrics",
      access: "read",
      async handle() {
        // The metrics of requests matter most while the cluster doesn't answer, so they are returned without its state.
        const cluster = await bazaar.cluster().catch(() => undefined);
        return new Reply(200, metrics.contentType, await metrics.render(cluster));
      },
      outage: operationsOutage,
      docs: {
        tag: "Operations",
        operationId: "readMetrics",
        alwaysAnswers: true,
        summary: "Metrics for Prometheus",
        success: {
          description: "Latencies by route, trades by outcome, the cluster, the cache, the process",
          contentType: metrics.contentType,
          example: "bazaar_leader_id 3\n",
        },
        failures: [],
      },
    },
  ];
}
