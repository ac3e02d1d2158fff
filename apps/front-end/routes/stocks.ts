/** The lookup of one stock, and the list of all. The routes of earlier systems share the replies of a lookup. */

import { cacheHeader } from "@stock-bazaar/contract/headers";
import type { CacheUse } from "@stock-bazaar/contract/replies";
import { stockTag } from "@stock-bazaar/contract/stock-tag";
import { stocksPageMax } from "@stock-bazaar/shared/api";
import type { Context } from "hono";
import type { Bazaar, KnownStock, StockLookup } from "../bazaar.ts";
import { invalidGet, lookupOutage, stockNotFound } from "../http/failures.ts";
import { describeStock, priceOf } from "../http/listing.ts";
import { json, jsonType, type Reply, StreamReply } from "../http/reply.ts";
import { isPossibleStockName, matchesTag } from "../http/request.ts";
import { jsonDocs, type ParameterDocs, type Route, type SuccessDocs } from "../http/route.ts";
import { stockName, stockReply, stocksQuery, stocksReply } from "@stock-bazaar/contract/schemas";
import { stocksAsJson } from "../http/stock-list.ts";

/** Looks a stock up, in the cache first. `notFound` makes the reply to a name that no stock has. */
export function lookupStock(
  bazaar: Bazaar,
  context: Context,
  name: string,
  notFound: (name: string) => Reply,
): Reply | Promise<Reply> {
  if (!isPossibleStockName(name)) return notFound(name).with({ [cacheHeader]: "bypass" });
  const replyTo = ({ stock, cache }: StockLookup) =>
    stock === undefined ? notFound(name).with({ [cacheHeader]: cache }) : stockFound(context, stock, cache);
  const found = bazaar.lookup(name);
  return found instanceof Promise ? found.then(replyTo) : replyTo(found);
}

/** The replies with cached stocks: each is rendered once, and is collected with its stock. */
const hitReplies = new WeakMap<KnownStock, Reply>();

export function hitReply(stock: KnownStock): Reply {
  let reply = hitReplies.get(stock);
  if (reply === undefined) {
    reply = stockReplyOf(stock, "hit");
    hitReplies.set(stock, reply);
  }
  return reply;
}

function stockReplyOf(stock: KnownStock, cache: CacheUse): Reply {
  return json(
    { data: { name: stock.name, price: priceOf(stock.priceCents), quantity: stock.quantity } },
    { etag: tagOf(stock), [cacheHeader]: cache },
  );
}

export function stockFound(context: Context, stock: KnownStock, cache: CacheUse): Reply {
  const reply = cache === "hit" ? hitReply(stock) : stockReplyOf(stock, cache);
  const ifNoneMatch = context.req.raw.headers.get("if-none-match");
  return ifNoneMatch !== null && matchesTag(ifNoneMatch, tagOf(stock)) ? reply.notModified() : reply;
}

function tagOf({ life, rev }: KnownStock): string {
  return stockTag(life, rev);
}

/** Replies with a list of stocks. More than one page is read while it is sent. */
async function listStocks(bazaar: Bazaar, context: Context): Promise<Reply> {
  const query = stocksQuery.safeParse({ limit: context.req.query("limit"), after: context.req.query("after") });
  if (!query.success) return invalidGet;
  const { limit = Number.POSITIVE_INFINITY, after = "" } = query.data;
  const first = await bazaar.stocks({ start: after, inclusive: false, limit: Math.min(limit, stocksPageMax) });
  if (first.more && first.stocks.length < limit) {
    const isHead = context.req.raw.method === "HEAD";
    const reply: StreamReply = new StreamReply(
      jsonType,
      isHead ? null : stocksAsJson(bazaar, first, limit, (error) => reply.broken(error)),
    );
    return reply;
  }
  const data = first.stocks.map(describeStock);
  const next = first.more ? data.at(-1)?.name : undefined;
  return json(next === undefined ? { data } : { data, next });
}

export const stockNameDocs: ParameterDocs = {
  in: "path",
  name: "name",
  description: "The stock's name, exactly",
  example: "GameStart",
};

export const stockNameQueryDocs: ParameterDocs = {
  in: "query",
  name: "stockname",
  description: "The name of the stock to look up, instead of the list, like GameStart",
};

export const ifNoneMatchDocs: ParameterDocs = {
  in: "header",
  name: "If-None-Match",
  description: "The `ETag` of an earlier reply: the reply is 304 if the stock is unchanged",
};

export const lookupDocs: SuccessDocs = {
  ...jsonDocs("The stock", stockReply, { data: { name: "GameStart", price: 15.99, quantity: 100 } }),
  headers: ["etag", cacheHeader],
  conditional: true,
};

export function stockRoutes(bazaar: Bazaar): Route[] {
  const notFound = () => stockNotFound;
  return [
    {
      method: "GET",
      path: "/stocks/:name",
      access: "read",
      handle: (context) => lookupStock(bazaar, context, context.req.param("name") ?? "", notFound),
      outage: lookupOutage,
      docs: {
        tag: "Stocks",
        operationId: "lookUpStock",
        summary: "Look up one stock",
        parameters: [stockNameDocs, ifNoneMatchDocs],
        success: lookupDocs,
        failures: [stockNotFound, invalidGet],
      },
    },
    {
      method: "GET",
      path: "/stocks",
      access: "read",
      handle: (context) => listStocks(bazaar, context),
      outage: lookupOutage,
      docs: {
        tag: "Stocks",
        operationId: "listStocks",
        summary: "List stocks, sorted by name",
        description:
          "Without a `limit`, all of them. Each stock is settled by itself, so the list isn't a snapshot while stocks are " +
          `traded. A list of more than ${stocksPageMax} is streamed without \`content-length\`; if the catalog stops ` +
          "answering meanwhile, the connection is closed before the JSON is complete.",
        parameters: [
          {
            in: "query",
            name: "limit",
            description: "The largest number of stocks; all if absent",
            schema: stocksQuery.shape.limit,
            example: 10,
          },
          {
            in: "query",
            name: "after",
            description: "Only stocks with a greater name, by its bytes in UTF-8: the `next` of the previous page",
            schema: stockName,
          },
        ],
        success: jsonDocs("Stocks", stocksReply, {
          data: [{ name: "GameStart", price: 15.99, quantity: 100, volume: 0 }],
          next: "GameStart",
        }),
        failures: [invalidGet],
      },
    },
  ];
}
