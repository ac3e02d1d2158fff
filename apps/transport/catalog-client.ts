/** The catalog's client: CatalogApi over gRPC. */

import {
  type Applied as AppliedMessage,
  CatalogService,
  type Register as RegisterMessage,
  type TailKind,
} from "@stock-bazaar/proto/generated/bazaar";
import type { Applied, CatalogApi, CatalogState, TailRequest } from "@stock-bazaar/shared/api";
import { OrderBatch, packOrder, unpackOrders } from "@stock-bazaar/shared/batches";
import { tracesOfCalls } from "./call-traces.ts";
import { failureFromMessage } from "./errors.ts";
import { CallStream } from "./call-streams.ts";
import { type Address, addressText } from "@stock-bazaar/process/addresses";
import { systemClock } from "@stock-bazaar/shared/clock";
import { ActiveCatalog } from "./active-catalog.ts";
import type { Register } from "@stock-bazaar/shared/domain";
import { callUnary, createClient, openDuplex } from "./client.ts";
import { CallerHandshake, type Speaker } from "./handshake.ts";

const tailKinds: Record<TailRequest["kind"], TailKind> = {
  hello: "HELLO",
  renew: "RENEW",
  ack: "ACK",
  goodbye: "GOODBYE",
};

/** Connects to the catalog, or to the active one of several. Parameters like `connectCatalog`. */
export function connectCatalogs(
  addresses: readonly Address[],
  timeoutMs: number,
  self: Speaker,
): CatalogApi & { close(): void; readonly states?: () => Promise<CatalogState[]> } {
  const catalogs = addresses.map((address) => connectCatalog(address, timeoutMs, self));
  const [only] = catalogs;
  if (only && catalogs.length === 1) return only;
  const named = catalogs.map((catalog, index) => ({ address: addressText(addresses[index] as Address), catalog }));
  const active = new ActiveCatalog({ catalogs: named, clock: systemClock, timeoutMs });
  const close = () => {
    for (const catalog of catalogs) catalog.close();
  };
  return Object.assign(active, { close });
}

/** `timeoutMs` is the deadline of each call, `self` the caller. */
export function connectCatalog(address: Address, timeoutMs: number, self: Speaker): CatalogApi & { close(): void } {
  const client = createClient(address, new CallerHandshake(self, `the catalog at ${address.host}:${address.port}`));
  const applies = new CallStream(client, CatalogService.apply, timeoutMs);
  const settles = new CallStream(client, CatalogService.settle, timeoutMs);
  const lookups = new CallStream(client, CatalogService.lookup, timeoutMs);
  return {
    apply: async ({ term, last, calls }) =>
      appliedFromMessage(
        await applies.call({ term, last: packOrder(last), calls: [...calls], traces: tracesOfCalls(calls) }),
      ),
    async restock({ last, ...request }) {
      const message = { ...request, last: packOrder(last) };
      const { orders, head } = await callUnary(client, CatalogService.restock, message, timeoutMs);
      return { orders: OrderBatch.read(orders), head };
    },
    async settle(upTo) {
      await settles.call({ upTo });
    },
    async lookup(names, seen) {
      const { stocks, life } = await lookups.call({ names: [...names], seen });
      const byName = new Map(stocks.map((stock) => [stock.name, stock]));
      return { stocks: names.map((name) => byName.get(name)), life };
    },
    stocks: (request, seen) => callUnary(client, CatalogService.listStocks, { ...request, seen }, timeoutMs),
    ordersAfter: async (afterId, limit) =>
      unpackOrders((await callUnary(client, CatalogService.ordersAfter, { afterId, limit }, timeoutMs)).orders),
    register: async (seen, last) =>
      registerFromMessage(
        await callUnary(client, CatalogService.getRegister, { seen, last: packOrder(last) }, timeoutMs),
      ),
    acquire: async ({ last, ...request }) =>
      registerFromMessage(
        await callUnary(client, CatalogService.acquire, { ...request, last: packOrder(last) }, timeoutMs),
      ),
    tail: (handlers) =>
      openDuplex(
        client,
        CatalogService.tail,
        handlers,
        (request: TailRequest) => ({ ...request, kind: tailKinds[request.kind] }),
        (reply) => reply,
      ),
    close: () => client.close(),
  };
}

function registerFromMessage({ obstacle, ...register }: RegisterMessage): Register {
  return obstacle === "" ? register : { ...register, obstacle };
}

function appliedFromMessage({ answers, orders, head }: AppliedMessage): Applied {
  return {
    answers: answers.map(({ outcomes, refused }) =>
      refused ? { refused: failureFromMessage(refused) } : { outcomes },
    ),
    orders: OrderBatch.read(orders),
    head,
  };
}
