/** A replica's API over gRPC: the messages in, the messages out. */

import type { FollowRequest__Output } from "@stock-bazaar/proto/generated/bazaar/v1/FollowRequest";
import type { GetOrderRequest__Output } from "@stock-bazaar/proto/generated/bazaar/v1/GetOrderRequest";
import type { OrdersHandlers } from "@stock-bazaar/proto/generated/bazaar/v1/Orders";
import type { TradesRequest__Output } from "@stock-bazaar/proto/generated/bazaar/v1/TradesRequest";
import { Orders } from "@stock-bazaar/proto/load";
import type { FollowReply, FollowRequest, OrderApi, ReplicaStatus } from "@stock-bazaar/shared/api";
import { CallStreams } from "@stock-bazaar/shared/call-stream";
import { packOrders, packOutcomes, unpackTrades } from "@stock-bazaar/shared/columns";
import { serveDuplex, serveStatus, serveUnary, type Service } from "@stock-bazaar/shared/grpc-server";
import { inTraces, tracesOf } from "@stock-bazaar/shared/tracing";

const roles = { follower: "FOLLOWER", "taking-over": "TAKING_OVER", leader: "LEADER" } as const;

export function ordersService(replica: OrderApi): Service {
  const calls = new CallStreams();
  const implementation: OrdersHandlers = {
    PlaceTrades: calls.serve(async (batch: TradesRequest__Output) => {
      const trades = unpackTrades(batch.trades);
      const { traces } = batch;
      const outcomes = await inTraces("Orders/PlaceTrades", { trades, traces }, () => replica.trade(trades));
      return { outcomes: packOutcomes(outcomes) };
    }),
    GetOrder: calls.serve(async ({ id }: GetOrderRequest__Output) => ({ order: (await replica.order(id)) ?? null })),
    ListOrders: serveUnary(async (request) => ({ orders: await replica.orders(request) })),
    Lead: serveUnary(({ afterTerm }) => replica.lead(afterTerm)),
    SetLeader: serveUnary(async (request) => {
      await replica.setLeader(request);
      return {};
    }),
    Follow: serveDuplex(
      (handlers) => replica.follow(handlers),
      (request: FollowRequest__Output): FollowRequest => request,
      ({ term, orders }: FollowReply) => ({ term, orders: packOrders(orders), ...tracesOf(orders) }),
    ),
    Watch: serveStatus(
      (handlers) => replica.watch(handlers),
      (status: ReplicaStatus) => ({ ...status, role: roles[status.role], liveFollowers: [...status.liveFollowers] }),
    ),
  };
  return { definition: Orders.service, implementation: { ...implementation }, drain: () => calls.drain() };
}
