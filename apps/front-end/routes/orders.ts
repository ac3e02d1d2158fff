/** Trades and orders. */

import type { Order } from "@stock-bazaar/shared/domain";
import type { Context } from "hono";
import type { Bazaar } from "../bazaar.ts";
import {
  insufficientQuantity,
  invalidGet,
  invalidQuantity,
  invalidTradeType,
  malformedTrade,
  orderNumberNotFound,
  orderOutage,
  stockNotFound,
  tradeOutage,
} from "../http/failures.ts";
import { describeOrder } from "../http/listing.ts";
import type { Metrics } from "../http/metrics.ts";
import { json, type Reply } from "../http/reply.ts";
import type { TradeForm } from "../http/request.ts";
import { jsonDocs, type ParameterDocs, type Route, type SuccessDocs } from "../http/route.ts";
import {
  idempotencyKey,
  orderNumber,
  orderReply,
  ordersLimitDefault,
  ordersLimitMax,
  ordersQuery,
  ordersReply,
  tradeBody,
  tradeReply,
} from "../http/schemas.ts";
import { commonTradeFailures, placeTrade, type TradeDialect } from "../http/place-trade.ts";

export const tradeForm: TradeForm = {
  schema: tradeBody,
  wrongContentType: malformedTrade,
  malformed: malformedTrade,
  invalid: [invalidQuantity, invalidTradeType],
};

/** `POST /orders` tells a trade's order number like this. */
export function tradeAccepted(orderId: number): Reply {
  return json({ data: { transaction_number: orderId } });
}

const dialect: TradeDialect = {
  form: tradeForm,
  accepted: tradeAccepted,
  rejected: (reason) => (reason === "INVALID_STOCKNAME" ? stockNotFound : insufficientQuantity),
};

/** The order with the number in `text`; the dialect tells it, or that there is none. */
export async function queryOrder(
  bazaar: Bazaar,
  text: string,
  told: { readonly found: (order: Order) => Reply; readonly notFound: Reply },
): Promise<Reply> {
  const id = orderNumber.safeParse(text);
  if (!id.success) return invalidGet;
  if (id.data > Number.MAX_SAFE_INTEGER) return told.notFound;
  const order = await bazaar.order(id.data);
  return order === undefined ? told.notFound : told.found(order);
}

function orderFound({ id, name, type, quantity }: Order): Reply {
  return json({ data: { number: id, name, type, quantity } });
}

/** One more than was asked for is read, to know whether there is a next page. */
async function listOrders(bazaar: Bazaar, context: Context): Promise<Reply> {
  const query = ordersQuery.safeParse({ limit: context.req.query("limit"), before: context.req.query("before") });
  if (!query.success) return invalidGet;
  const { limit = ordersLimitDefault, before = 0 } = query.data;
  const orders = await bazaar.orders({ before: Math.min(before, Number.MAX_SAFE_INTEGER), limit: limit + 1 });
  const data = orders.slice(0, limit).map(describeOrder);
  const last = data.at(-1);
  return json(orders.length > limit && last !== undefined ? { data, next: last.number } : { data });
}

export const idempotencyKeyDocs: ParameterDocs = {
  in: "header",
  name: "Idempotency-Key",
  description: "Makes a retry safe: the same key, like a UUID of your own, always has the first outcome",
  schema: idempotencyKey,
};

/** What a viewer sends when nothing was changed: it must work on the stocks that the bazaar begins with. */
export const tradeBodyDocs = { schema: tradeBody, example: { name: "GameStart", quantity: 1, type: "buy" } };

export const tradeDocs: SuccessDocs = {
  ...jsonDocs("The trade was done; the number of its order", tradeReply, { data: { transaction_number: 10 } }),
  headers: ["idempotent-replayed"],
};

export function orderRoutes(deps: { readonly bazaar: Bazaar; readonly metrics: Metrics }): Route[] {
  const { bazaar } = deps;
  return [
    {
      method: "POST",
      path: "/orders",
      handle: (context, requestId) => placeTrade(deps, context.req.raw, requestId, dialect),
      outage: tradeOutage,
      docs: {
        tag: "Orders",
        operationId: "placeTrade",
        summary: "Buy or sell",
        parameters: [idempotencyKeyDocs],
        body: tradeBodyDocs,
        success: tradeDocs,
        failures: [
          malformedTrade,
          invalidQuantity,
          invalidTradeType,
          stockNotFound,
          insufficientQuantity,
          ...commonTradeFailures,
        ],
      },
    },
    {
      method: "GET",
      path: "/orders/:number",
      handle: (context) =>
        queryOrder(bazaar, context.req.param("number") ?? "", { found: orderFound, notFound: orderNumberNotFound }),
      outage: orderOutage,
      docs: {
        tag: "Orders",
        operationId: "readOrder",
        summary: "Read one order",
        parameters: [
          { in: "path", name: "number", description: "The order's number", schema: orderNumber, example: 1 },
        ],
        success: jsonDocs("The order", orderReply, {
          data: { number: 1, name: "GameStart", type: "buy", quantity: 1 },
        }),
        failures: [orderNumberNotFound, invalidGet],
      },
    },
    {
      method: "GET",
      path: "/orders",
      handle: (context) => listOrders(bazaar, context),
      outage: orderOutage,
      docs: {
        tag: "Orders",
        operationId: "listOrders",
        summary: "List orders, newest first",
        parameters: [
          {
            in: "query",
            name: "limit",
            description: `At most this many, ${ordersLimitDefault} if absent, never more than ${ordersLimitMax}`,
            schema: ordersQuery.shape.limit,
            example: 10,
          },
          {
            in: "query",
            name: "before",
            description: "Only orders with a smaller number: the `next` of the page before",
            schema: ordersQuery.shape.before,
          },
        ],
        success: jsonDocs("A page of orders", ordersReply, {
          data: [
            {
              number: 115,
              name: "GameStart",
              type: "sell",
              quantity: 100,
              price: 15.99,
              created_at: "2026-01-31T12:00:00.000Z",
            },
          ],
          next: 115,
        }),
        failures: [invalidGet],
      },
    },
  ];
}
