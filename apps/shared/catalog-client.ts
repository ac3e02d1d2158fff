/** The catalog, as another process sees it: CatalogApi over gRPC. */

import type { Applied__Output } from "@stock-bazaar/proto/generated/bazaar/v1/Applied";
import type { TailKind } from "@stock-bazaar/proto/generated/bazaar/v1/TailKind";
import type { TailReply__Output } from "@stock-bazaar/proto/generated/bazaar/v1/TailReply";
import { Catalog } from "@stock-bazaar/proto/load";
import type { Applied, CatalogApi, TailRequest } from "./api.ts";
import { CallStream } from "./call-stream.ts";
import { packTrades, unpackOrders, unpackOutcomes } from "./columns.ts";
import type { Address } from "./config.ts";
import { callUnary, createClient, openDuplex } from "./grpc-client.ts";
import { tracesOf } from "./tracing.ts";

const tailKinds: Record<TailRequest["kind"], TailKind> = {
  hello: "HELLO",
  renew: "RENEW",
  ack: "ACK",
  goodbye: "GOODBYE",
};

/** `timeoutMs`: the deadline of each call. */
export function connectCatalog(address: Address, timeoutMs: number): CatalogApi & { close(): void } {
  const client = createClient(address);
  const { service } = Catalog;
  const applies = new CallStream(client, service.Apply, timeoutMs);
  const settles = new CallStream(client, service.Settle, timeoutMs);
  const lookups = new CallStream(client, service.Lookup, timeoutMs);
  return {
    apply: async ({ term, trades }) =>
      appliedFromMessage(await applies.call({ term, trades: packTrades(trades), ...tracesOf(trades) })),
    restock: async (request) => appliedFromMessage(await callUnary(client, service.Restock, request, timeoutMs)),
    async settle(upTo) {
      await settles.call({ upTo });
    },
    async lookup(names) {
      const { stocks } = await lookups.call({ names: [...names] });
      const byName = new Map(stocks.map((stock) => [stock.name, stock]));
      return names.map((name) => byName.get(name));
    },
    stocks: async () => (await callUnary(client, service.ListStocks, {}, timeoutMs)).stocks,
    ordersAfter: async (afterId, limit) =>
      unpackOrders((await callUnary(client, service.OrdersAfter, { afterId, limit }, timeoutMs)).orders),
    register: () => callUnary(client, service.GetRegister, {}, timeoutMs),
    acquire: (request) => callUnary(client, service.Acquire, request, timeoutMs),
    tail: (handlers) =>
      openDuplex(
        client,
        service.Tail,
        handlers,
        (request: TailRequest) => ({ ...request, kind: tailKinds[request.kind] }),
        (reply: TailReply__Output) => reply,
      ),
    close: () => client.close(),
  };
}

function appliedFromMessage({ outcomes, orders, head }: Applied__Output): Applied {
  return { outcomes: unpackOutcomes(outcomes), orders: unpackOrders(orders), head };
}
