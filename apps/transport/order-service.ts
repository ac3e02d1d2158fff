/** An order replica's server: converts between gRPC messages and OrderApi. */

import {
  type FollowRequest as FollowMessage,
  type GetOrderRequest,
  type OrderReply,
  type OrdersServer,
  OrdersService,
  type TradesReply,
  type TradesRequest,
} from "@stock-bazaar/proto/generated/bazaar";
import {
  type CopyApi,
  emptyCall,
  type FollowReply,
  type FollowRequest,
  type OrderApi,
  type ReplicaStatus,
} from "@stock-bazaar/shared/api";
import { CallStreams } from "./call-streams.ts";
import { packOrder, packOrders, unpackLast } from "@stock-bazaar/shared/batches";
import { forSameVersion, type Speaker } from "./handshake.ts";
import { serveDuplex, serveStatus, serveUnary, type Service } from "./server.ts";
import { inTraces, tracesOf } from "@stock-bazaar/process/tracing";

const roles = { follower: "FOLLOWER", "taking-over": "TAKING_OVER", leader: "LEADER" } as const;

export function serveReplica(replica: OrderApi & CopyApi, self: Speaker): Service {
  const calls = new CallStreams();
  const implementation: OrdersServer = {
    placeTrades: calls.serve<TradesRequest, TradesReply>(
      async ({ call = emptyCall, callerSettles, traces }) =>
        inTraces("Orders/PlaceTrades", { count: call.count, traces }, () => replica.trade({ ...call, callerSettles })),
      { outcomes: "", head: 0, life: "" },
    ),
    getOrder: calls.serve<GetOrderRequest, OrderReply>(
      async ({ id }) => ({ order: packOrder(await replica.order(id)) }),
      {
        order: "",
      },
    ),
    listOrders: serveUnary(async (request) => ({ orders: packOrders(await replica.orders(request)) })),
    lead: serveUnary(({ afterTerm }) => replica.lead(afterTerm)),
    setLeader: serveUnary(async (request) => {
      await replica.setLeader(request);
      return {};
    }),
    follow: serveDuplex(
      (handlers) => replica.follow(handlers),
      (request: FollowMessage): FollowRequest => ({ ...request, last: unpackLast(request.last) }),
      ({ term, tailId, orders }: FollowReply) => ({
        term,
        tailId,
        orders: orders.text,
        traces: tracesOf(orders.rows),
      }),
    ),
    readCopy: serveUnary(async ({ afterId, limit }) => {
      const { orders, ...end } = await replica.readCopy(afterId, limit);
      return { ...end, orders: packOrders(orders) };
    }),
    watch: serveStatus(
      (handlers) => replica.watch(handlers),
      (status: ReplicaStatus) => ({ ...status, role: roles[status.role], liveFollowers: [...status.liveFollowers] }),
    ),
  };
  return forSameVersion({ definition: OrdersService, implementation, drain: () => calls.drain() }, self);
}
