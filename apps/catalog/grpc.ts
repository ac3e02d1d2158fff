/** The catalog's API over gRPC: the messages in, the messages out. */

import type { ApplyRequest__Output } from "@stock-bazaar/proto/generated/bazaar/v1/ApplyRequest";
import type { CatalogHandlers } from "@stock-bazaar/proto/generated/bazaar/v1/Catalog";
import type { LookupRequest__Output } from "@stock-bazaar/proto/generated/bazaar/v1/LookupRequest";
import type { SettleRequest__Output } from "@stock-bazaar/proto/generated/bazaar/v1/SettleRequest";
import type { TailRequest__Output } from "@stock-bazaar/proto/generated/bazaar/v1/TailRequest";
import { Catalog } from "@stock-bazaar/proto/load";
import type { Applied, CatalogApi, TailReply, TailRequest } from "@stock-bazaar/shared/api";
import { CallStreams } from "@stock-bazaar/shared/call-stream";
import { packOrders, packOutcomes, unpackTrades } from "@stock-bazaar/shared/columns";
import { serveDuplex, serveUnary, type Service } from "@stock-bazaar/shared/grpc-server";
import { inTraces } from "@stock-bazaar/shared/tracing";

const tailKinds = { HELLO: "hello", RENEW: "renew", ACK: "ack", GOODBYE: "goodbye" } as const;

export function catalogService(catalog: CatalogApi): Service {
  const calls = new CallStreams();
  const implementation: CatalogHandlers = {
    Apply: calls.serve(async (batch: ApplyRequest__Output) => {
      const { term, traces } = batch;
      const trades = unpackTrades(batch.trades);
      return appliedToMessage(
        await inTraces("Catalog/Apply", { trades, traces }, () => catalog.apply({ term, trades })),
      );
    }),
    Restock: serveUnary(async (request) => appliedToMessage(await catalog.restock(request))),
    Settle: calls.serve(async ({ upTo }: SettleRequest__Output) => {
      await catalog.settle(upTo);
      return {};
    }),
    Lookup: calls.serve(async ({ names }: LookupRequest__Output) => {
      const stocks = await catalog.lookup(names);
      return { stocks: stocks.filter((stock) => stock !== undefined) };
    }),
    ListStocks: serveUnary(async () => ({ stocks: await catalog.stocks() })),
    OrdersAfter: serveUnary(async ({ afterId, limit }) => ({
      orders: packOrders(await catalog.ordersAfter(afterId, limit)),
    })),
    GetRegister: serveUnary(() => catalog.register()),
    Acquire: serveUnary((request) => catalog.acquire(request)),
    Tail: serveDuplex(
      (handlers) => catalog.tail(handlers),
      (request: TailRequest__Output): TailRequest => ({ ...request, kind: tailKinds[request.kind] }),
      (reply: TailReply) => ({ ...reply, changes: [...reply.changes] }),
    ),
  };
  return { definition: Catalog.service, implementation: { ...implementation }, drain: () => calls.drain() };
}

function appliedToMessage({ outcomes, orders, head }: Applied) {
  return { outcomes: packOutcomes(outcomes), orders: packOrders(orders), head };
}
