/** The catalog's server: converts between gRPC messages and CatalogApi. */

import {
  type Applied as AppliedMessage,
  type ApplyRequest,
  type CatalogServer,
  CatalogService,
  type LookupReply,
  type LookupRequest,
  type Register as RegisterMessage,
  type Settled,
  type SettleRequest,
  type TailRequest as TailRequestMessage,
} from "@stock-bazaar/proto/generated/bazaar";
import type { Applied, CatalogApi, TailReply, TailRequest } from "@stock-bazaar/shared/api";
import type { Register } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { CallStreams } from "./call-streams.ts";
import { packOrders, unpackLast } from "@stock-bazaar/shared/batches";
import { failureToMessage } from "./errors.ts";
import { forSameVersion, type Speaker } from "./handshake.ts";
import { serveDuplex, serveUnary, type Service } from "./server.ts";
import { inTraces } from "@stock-bazaar/process/tracing";

/** The largest int32. */
const sequenceMax = 2_147_483_647;

const tailKinds = { HELLO: "hello", RENEW: "renew", ACK: "ack", GOODBYE: "goodbye" } as const;

export function serveCatalog(catalog: CatalogApi, self: Speaker): Service {
  const calls = new CallStreams();
  const implementation: CatalogServer = {
    apply: calls.serve<ApplyRequest, AppliedMessage>(
      async ({ term, last, calls, traces }) => {
        const count = calls.reduce((sum, call) => sum + call.count, 0);
        return appliedToMessage(
          await inTraces("Catalog/Apply", { count, traces }, () =>
            catalog.apply({ term, last: unpackLast(last), calls }),
          ),
        );
      },
      { answers: [], orders: "", head: 0 },
    ),
    restock: serveUnary(async (request) => {
      const { orders, head } = await catalog.restock({ ...request, last: unpackLast(request.last) });
      return { orders: orders.text, head };
    }),
    settle: calls.serve<SettleRequest, Settled>(async ({ upTo }) => {
      await catalog.settle(upTo);
      return {};
    }, {}),
    lookup: calls.serve<LookupRequest, LookupReply>(
      async ({ names, seen }) => {
        const { stocks, life } = await catalog.lookup(names, seen);
        return { stocks: stocks.filter((stock) => stock !== undefined), life };
      },
      { stocks: [], life: "" },
    ),
    listStocks: serveUnary(async ({ seen, ...request }) => {
      const { stocks, life, more } = await catalog.stocks(request, seen);
      return { stocks: [...stocks], life, more };
    }),
    ordersAfter: serveUnary(async ({ afterId, limit }) => ({
      orders: packOrders(await catalog.ordersAfter(afterId, limit)),
    })),
    getRegister: serveUnary(async (request) =>
      registerToMessage(await catalog.register(request.seen, unpackLast(request.last))),
    ),
    acquire: serveUnary(async (request) =>
      registerToMessage(await catalog.acquire({ ...request, last: unpackLast(request.last) })),
    ),
    tail: serveDuplex(
      (handlers) => catalog.tail(handlers),
      tailRequestFromMessage,
      (reply: TailReply) => ({ ...reply, changes: [...reply.changes], frontEnds: [...reply.frontEnds] }),
    ),
  };
  return forSameVersion({ definition: CatalogService, implementation, drain: () => calls.drain() }, self);
}

/** Throws INVALID_REQUEST if no reply could repeat the sequence, as it has room for half of the numbers (-1 is news). */
function tailRequestFromMessage(request: TailRequestMessage): TailRequest {
  const { sequence, seen } = request;
  if (sequence > sequenceMax) {
    throw new BazaarError("INVALID_REQUEST", `a sequence must be at most ${sequenceMax} (got ${sequence})`);
  }
  return { ...request, kind: tailKinds[request.kind], seen };
}

function registerToMessage({ obstacle = "", ...register }: Register): RegisterMessage {
  return { ...register, obstacle };
}

function appliedToMessage({ answers, orders, head }: Applied) {
  return {
    answers: answers.map((answer) =>
      "refused" in answer
        ? { outcomes: "", refused: failureToMessage(answer.refused) }
        : { outcomes: answer.outcomes, refused: undefined },
    ),
    orders: orders.text,
    head,
  };
}
