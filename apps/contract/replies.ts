/** The data of replies as types, for programs that don't validate replies: the schemas would load zod. */

import type { z } from "zod";
import type { clusterReply, orderReply, ordersReply, stocksReply } from "./schemas.ts";

/** A stock in a list, with its `volume`. */
export type ListedStock = Readonly<z.infer<typeof stocksReply>["data"][number]>;

export type ListedOrder = Readonly<z.infer<typeof ordersReply>["data"][number]>;

/** The order in a reply of `GET /orders/{number}`. */
export type FoundOrder = Readonly<z.infer<typeof orderReply>["data"]>;

/** The data of `GET /cluster`. */
export type Cluster = Readonly<z.infer<typeof clusterReply>["data"]>;
export type ClusterReplica = Readonly<Cluster["replicas"][number]>;
export type ClusterFrontEnd = Readonly<Cluster["front_ends"][number]>;

/** Where a lookup's answer came from: the cache (`hit`), or the catalog, cached (`miss`) or not (`bypass`). */
export type CacheUse = "hit" | "miss" | "bypass";
