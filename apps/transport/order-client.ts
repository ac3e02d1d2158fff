/** An order replica's client: OrderApi over gRPC. */

import { OrdersService } from "@stock-bazaar/proto/generated/bazaar";
import type { CopyApi, FollowReply, FollowRequest, OrderApi, ReplicaStatus } from "@stock-bazaar/shared/api";
import { OrderBatch, packOrder, unpackOrder, unpackOrders } from "@stock-bazaar/shared/batches";
import { CallStream } from "./call-streams.ts";
import type { Address } from "@stock-bazaar/process/addresses";
import { callUnary, createClient, openDuplex, openStatus } from "./client.ts";
import { CallerHandshake, type Speaker } from "./handshake.ts";
import { currentTracing } from "@stock-bazaar/process/tracing";
import { tracesOfCalls } from "./call-traces.ts";

const roles = { FOLLOWER: "follower", TAKING_OVER: "taking-over", LEADER: "leader" } as const;

/** `timeoutMs` is the deadline of each call, `self` the caller. */
export function connectReplica(
  address: Address,
  timeoutMs: number,
  self: Speaker,
): OrderApi & CopyApi & { close(): void } {
  const client = createClient(address, new CallerHandshake(self, `the replica at ${address.host}:${address.port}`));
  const trades = new CallStream(client, OrdersService.placeTrades, timeoutMs);
  const queries = new CallStream(client, OrdersService.getOrder, timeoutMs);
  return {
    async trade({ callerSettles, ...call }, signal) {
      const request = { call, callerSettles, traces: tracesOfCalls([call]) };
      const { outcomes, head, life } = await trades.call(request, signal);
      return { outcomes, head, life };
    },
    async order(id, signal) {
      const { order } = await queries.call({ id }, signal);
      return unpackOrder(order);
    },
    orders: async (request, signal) =>
      unpackOrders((await callUnary(client, OrdersService.listOrders, request, timeoutMs, signal)).orders),
    lead: (afterTerm, signal) => callUnary(client, OrdersService.lead, { afterTerm }, timeoutMs, signal),
    async setLeader(leadership) {
      await callUnary(client, OrdersService.setLeader, leadership, timeoutMs);
    },
    follow: (handlers) =>
      openDuplex(
        client,
        OrdersService.follow,
        handlers,
        ({ last, ...position }: FollowRequest) => ({ ...position, last: packOrder(last) }),
        ({ term, tailId, orders, traces }): FollowReply => {
          if (traces.length > 0) currentTracing()?.arrived(traces);
          return { term, tailId, orders: OrderBatch.read(orders) };
        },
      ),
    watch: (handlers) =>
      openStatus(
        client,
        OrdersService.watch,
        {},
        handlers,
        (status): ReplicaStatus => ({ ...status, role: roles[status.role] }),
      ),
    async readCopy(afterId, limit) {
      const { orders, ...end } = await callUnary(client, OrdersService.readCopy, { afterId, limit }, timeoutMs);
      return { ...end, orders: unpackOrders(orders) };
    },
    close: () => client.close(),
  };
}
