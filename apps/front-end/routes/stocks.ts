/** Lookups: one stock, and the list of all. The replies of a lookup are shared with the other systems' routes. */

import type { Stock } from "@stock-bazaar/shared/domain";
import type { Context } from "hono";
import type { Bazaar, CacheUse, StockLookup } from "../bazaar.ts";
import { invalidGet, lookupOutage, stockNotFound } from "../http/failures.ts";
import { describeStock, priceOf } from "../http/listing.ts";
import { json, type Reply } from "../http/reply.ts";
import { isPossibleStockName, matchesTag } from "../http/request.ts";
import { jsonDocs, type ParameterDocs, type Route, type SuccessDocs } from "../http/route.ts";
import { stockReply, stocksReply } from "../http/schemas.ts";

/** Looks a stock up, through the cache. `notFound` makes the reply for a name that nobody has. */
export function lookupStock(
  bazaar: Bazaar,
  context: Context,
  name: string,
  notFound: (name: string) => Reply,
): Reply | Promise<Reply> {
  if (!isPossibleStockName(name)) return notFound(name).with({ "x-cache": "bypass" });
  const told = ({ stock, cache }: StockLookup) =>
    stock === undefined ? notFound(name).with({ "x-cache": cache }) : stockFound(context, stock, cache);
  const found = bazaar.lookup(name);
  return found instanceof Promise ? found.then(told) : told(found);
}

/** The replies that tell of a stock out of the cache: rendered once, and gone with the stock. */
const hitReplies = new WeakMap<Stock, Reply>();

export function hitReply(stock: Stock): Reply {
  let reply = hitReplies.get(stock);
  if (reply === undefined) {
    reply = stockReplyOf(stock, "hit");
    hitReplies.set(stock, reply);
  }
  return reply;
}

function stockReplyOf(stock: Stock, cache: CacheUse): Reply {
  return json(
    { data: { name: stock.name, price: priceOf(stock.priceCents), quantity: stock.quantity } },
    { etag: tagOf(stock), "x-cache": cache },
  );
}

export function stockFound(context: Context, stock: Stock, cache: CacheUse): Reply {
  const reply = cache === "hit" ? hitReply(stock) : stockReplyOf(stock, cache);
  const ifNoneMatch = context.req.raw.headers.get("if-none-match");
  return ifNoneMatch !== null && matchesTag(ifNoneMatch, tagOf(stock)) ? reply.notModified() : reply;
}

function tagOf({ rev }: Stock): string {
  return `"${rev}"`;
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
  description: "The stock to look up, instead of all: GameStart",
};

export const ifNoneMatchDocs: ParameterDocs = {
  in: "header",
  name: "If-None-Match",
  description: "The `ETag` of an earlier reply: 304 if the stock is still the same",
};

export const lookupDocs: SuccessDocs = {
  ...jsonDocs("The stock", stockReply, { data: { name: "GameStart", price: 15.99, quantity: 100 } }),
  headers: ["etag", "x-cache"],
  conditional: true,
};

export function stockRoutes(bazaar: Bazaar): Route[] {
  const notFound = () => stockNotFound;
  return [
    {
      method: "GET",
      path: "/stocks/:name",
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
      async handle() {
        const stocks = await bazaar.stocks();
        return json({ data: stocks.map(describeStock) });
      },
      outage: lookupOutage,
      docs: {
        tag: "Stocks",
        operationId: "listStocks",
        summary: "List all stocks, sorted by name",
        success: jsonDocs("All stocks", stocksReply, {
          data: [{ name: "GameStart", price: 15.99, quantity: 100, volume: 0 }],
        }),
        failures: [],
      },
    },
  ];
}
