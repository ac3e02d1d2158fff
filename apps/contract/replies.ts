/** The data of replies as types, for programs that don't check them: without zod, which the schemas need. */

import type { z } from "zod";
import type { clusterReply, orderReply, ordersReply, stocksReply } from "./schemas.ts";

/** With its `volume`, as in the list of all. */
export type ListedStock = Readonly<z.infer<typeof stocksReply>["data"][number]>;

export type ListedOrder = Readonly<z.infer<typeof ordersReply>["data"][number]>;

/** As `GET /orders/{number}` replies with it. */
export type FoundOrder = Readonly<z.infer<typeof orderReply>["data"]>;

/** The data of `GET /cluster`. */
export type Cluster = Readonly<z.infer<typeof clusterReply>["data"]>;
export type ClusterReplica = Readonly<Cluster["replicas"][number]>;
export type ClusterFrontEnd = Readonly<Cluster["front_ends"][number]>;

/** Where a lookup's answer came from: the cache; the catalog, and it is cached now; the catalog alone. */
export type CacheUse = "hit" | "miss" | "bypass";
