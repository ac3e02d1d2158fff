/** Trades and orders. */

import { replayedHeader } from "@stock-bazaar/contract/headers";
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
} from "@stock-bazaar/contract/schemas";
import { commonTradeFailures, placeTrade, type TradeWords } from "../http/place-trade.ts";

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

const words: TradeWords = {
  form: tradeForm,
  accepted: tradeAccepted,
  rejected: (reason) => (reason === "INVALID_STOCKNAME" ? stockNotFound : insufficientQuantity),
};

/** How a query for one order is answered. */
export interface OrderWords {
  found(order: Order): Reply;
  notFound(text: string): Reply;
  /** What is no order's number. */
  readonly malformed: Reply;
  /** An integer below 1 is no mistake: it is a number that no order has. */
  readonly takesAnyInteger?: boolean;
}

const integerPattern = /^[+-]?\d+$/;

/** Replies with the order whose number is `text`. */
export async function queryOrder(bazaar: Bazaar, text: string, words: OrderWords): Promise<Reply> {
  const id = orderNumber.safeParse(text);
  if (!id.success) return words.takesAnyInteger && integerPattern.test(text) ? words.notFound(text) : words.malformed;
  if (id.data > Number.MAX_SAFE_INTEGER) return words.notFound(text);
  const order = await bazaar.order(id.data);
  return order === undefined ? words.notFound(text) : words.found(order);
}

const orderWords: OrderWords = { found: orderFound, notFound: () => orderNumberNotFound, malformed: invalidGet };

export function orderFound({ id, name, type, quantity }: Order): Reply {
  return json({ data: { number: id, name, type, quantity } });
}

/** One more than was asked for is read, to know whether there is a next page. */
export async function listOrders(
  bazaar: Bazaar,
  context: Context,
  describe: (order: Order) => { readonly number: number } = describeOrder,
): Promise<Reply> {
  const query = ordersQuery.safeParse({ limit: context.req.query("limit"), before: context.req.query("before") });
  if (!query.success) return invalidGet;
  const { limit = ordersLimitDefault, before = 0 } = query.data;
  const orders = await bazaar.orders({ before: Math.min(before, Number.MAX_SAFE_INTEGER), limit: limit + 1 });
  const data = orders.slice(0, limit).map(describe);
  const last = data.at(-1);
  return json(orders.length > limit && last !== undefined ? { data, next: last.number } : { data });
}

export const idempotencyKeyDocs: ParameterDocs = {
  in: "header",
  name: "Idempotency-Key",
  description: "Makes a retry safe: the same key, like a UUID of your own, always has the first outcome",
  schema: idempotencyKey,
};

export const orderNumberDocs: ParameterDocs = {
  in: "path",
  name: "number",
  description: "The order's number",
  schema: orderNumber,
  example: 1,
};

export const orderDocs = jsonDocs("The order", orderReply, {
  data: { number: 1, name: "GameStart", type: "buy", quantity: 1 },
});

export const orderNumberQueryDocs: ParameterDocs = {
  in: "query",
  name: "order-number",
  description: "The order to read, instead of a page",
  schema: orderNumber,
};

/** Of a page of orders. */
export const pageDocs: readonly ParameterDocs[] = [
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
];

/** Of a trade that can't be read, in the order in which they are checked. */
export const tradeFormFailures = [malformedTrade, invalidQuantity, invalidTradeType] as const;

/** What a viewer sends when nothing was changed: it must work on the stocks that the bazaar begins with. */
export const tradeBodyDocs = { schema: tradeBody, example: { name: "GameStart", quantity: 1, type: "buy" } };

export const tradeDocs: SuccessDocs = {
  ...jsonDocs("The trade was done; the number of its order", tradeReply, { data: { transaction_number: 10 } }),
  headers: [replayedHeader],
};

export function orderRoutes(deps: { readonly bazaar: Bazaar; readonly metrics: Metrics }): Route[] {
  const { bazaar } = deps;
  return [
    {
      method: "POST",
      path: "/orders",
      access: "trade",
      handle: (context, requestId) => placeTrade(deps, context.req.raw, requestId, words),
      outage: tradeOutage,
      docs: {
        tag: "Orders",
        operationId: "placeTrade",
        summary: "Buy or sell",
        parameters: [idempotencyKeyDocs],
        body: tradeBodyDocs,
        success: tradeDocs,
        failures: [...tradeFormFailures, stockNotFound, insufficientQuantity, ...commonTradeFailures],
      },
    },
    {
      method: "GET",
      path: "/orders/:number",
      access: "read",
      handle: (context) => queryOrder(bazaar, context.req.param("number") ?? "", orderWords),
      outage: orderOutage,
      docs: {
        tag: "Orders",
        operationId: "readOrder",
        summary: "Read one order",
        parameters: [orderNumberDocs],
        success: orderDocs,
        failures: [orderNumberNotFound, invalidGet],
      },
    },
    {
      method: "GET",
      path: "/orders",
      access: "read",
      handle: (context) => listOrders(bazaar, context),
      outage: orderOutage,
      docs: {
        tag: "Orders",
        operationId: "listOrders",
        summary: "List orders, newest first",
        parameters: pageDocs,
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
