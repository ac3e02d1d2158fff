/**
 * The schemas of requests and replies. The front-end validates requests with the schemas that the OpenAPI document
 * contains, so the document can't promise what the code refuses. Each check in a request schema has the contract's
 * message for its failure.
 */

import { stockNameLengthMax, type TradeType, tradeQuantityMax } from "@stock-bazaar/shared/domain";
import { z } from "zod";
import { faultKinds } from "./faults.ts";
import { idempotencyKeyPattern } from "./headers.ts";
import { failureReasons } from "./reasons.ts";

export const ordersLimitMax = 1000;
export const ordersLimitDefault = 50;

/** A trade's type, in any letter case. */
export const tradeTypePattern = /^(?:[Bb][Uu][Yy]|[Ss][Ee][Ll][Ll])$/;
const digitsPattern = /^\d+$/;

export const malformedTradeMessage = "Invalid request- JSON object should contain name, quantity and type";
export const invalidQuantityMessage = "quantity must be a positive integer";
export const invalidTradeTypeMessage = "Order type is invalid, only buy/sell are accepted";

/** A number that is valid JSON but too large for a double (1e999) counts as a wrong quantity, not as a wrong type. */
function quantitySchema(malformed: string, invalid: string = invalidQuantityMessage) {
  return z
    .int({ error: ({ input }) => (typeof input === "number" ? invalid : malformed) })
    .min(1, invalid)
    .max(tradeQuantityMax, invalid);
}

export const tradeBody = z
  .object(
    {
      name: z.string(malformedTradeMessage),
      quantity: quantitySchema(malformedTradeMessage),
      type: z
        .string(malformedTradeMessage)
        .regex(tradeTypePattern, invalidTradeTypeMessage)
        .transform((type): TradeType => (type.length === 3 ? "buy" : "sell")),
    },
    malformedTradeMessage,
  )
  .meta({ id: "Trade" });

export const malformedPurchaseMessage = "Invalid request- JSON object should contain name and quantity";

/** The body of `POST /buy`, which needs no type. */
export const purchaseBody = z
  .object(
    { name: z.string(malformedPurchaseMessage), quantity: quantitySchema(malformedPurchaseMessage) },
    malformedPurchaseMessage,
  )
  .transform((body) => ({ ...body, type: "buy" as const }))
  .meta({ id: "Purchase" });

export const malformedToyPurchaseMessage = "invalid json file (required keys: name, quantity)";
export const invalidToyQuantityMessage = "invalid quantity.";

/** The body of `POST /orders` in the dialect toy-store: a purchase, with or without a type. */
export const toyPurchaseBody = z
  .object(
    {
      name: z.string(malformedToyPurchaseMessage),
      quantity: quantitySchema(malformedToyPurchaseMessage, invalidToyQuantityMessage),
      type: z.literal("buy", malformedToyPurchaseMessage).optional(),
    },
    malformedToyPurchaseMessage,
  )
  .transform((body) => ({ ...body, type: "buy" as const }))
  .meta({ id: "ToyPurchase" });

export const idempotencyKey = z.string().regex(idempotencyKeyPattern);

/** Reads digits as a number from `min` to `max`. In the OpenAPI document it is an integer. */
function numberText(min: number, max: number) {
  return z.string().regex(digitsPattern).transform(Number).pipe(z.int().min(min).max(max));
}

/** Has no upper bound: a number too large for any order, however many digits it has, is valid and not found. */
export const orderNumber = z
  .string()
  .regex(digitsPattern)
  .transform((digits) => Math.min(Number(digits), Number.MAX_VALUE))
  .pipe(z.number().min(1).meta({ type: "integer" }));
export const ordersQuery = z.object({
  limit: numberText(1, ordersLimitMax).optional(),
  before: orderNumber.optional(),
});

/** A name that a stock may have. */
export const stockName = z
  .string()
  .min(1)
  .max(stockNameLengthMax)
  .refine((name) => name.isWellFormed());
export const stocksQuery = z.object({
  limit: numberText(1, Number.MAX_SAFE_INTEGER).optional(),
  after: stockName.optional(),
});

export const eventStocksMax = 1000;
/** Which stocks a listener receives. */
export const eventStocksQuery = z
  .object({
    limit: numberText(1, eventStocksMax).optional(),
    after: stockName.optional(),
    from: stockName.optional(),
  })
  .refine(({ after, from }) => after === undefined || from === undefined);

const price = z.number().meta({ description: "In the currency's unit, with two decimals", examples: [15.99] });
const stock = z.object({ name: z.string(), price, quantity: z.int().min(0) });
const order = z.object({
  number: z.int().min(1),
  name: z.string(),
  type: z.enum(["buy", "sell", "restock"]),
  quantity: z.int().min(1),
});

export const stockReply = z.object({ data: stock }).meta({ id: "StockReply" });
export const stocksReply = z
  .object({
    data: z.array(stock.extend({ volume: z.int().min(0).meta({ description: "Units traded so far" }) })),
    next: z
      .string()
      .optional()
      .meta({ description: "Present if a `limit` left stocks out: the value of `after` for the next page" }),
  })
  .meta({ id: "StocksReply" });
export const tradeReply = z
  .object({ data: z.object({ transaction_number: z.int().min(1) }) })
  .meta({ id: "TradeReply" });
export const orderReply = z.object({ data: order }).meta({ id: "OrderReply" });
export const ordersReply = z
  .object({
    data: z.array(order.extend({ price, created_at: z.string().meta({ description: "ISO 8601, UTC" }) })),
    next: z
      .int()
      .min(1)
      .optional()
      .meta({ description: "Present if there are older orders: the value of `before` for the next page" }),
  })
  .meta({ id: "OrdersReply" });

export const invalidationReply = z
  .object({ data: z.object({ code: z.literal(200), message: z.literal("Cache Invalidation done") }) })
  .meta({ id: "InvalidationReply" });

// The replies of earlier systems' routes.
export const upperCaseOrderReply = z
  .object({ data: order.extend({ type: z.enum(["BUY", "SELL", "RESTOCK"]) }) })
  .meta({ id: "UpperCaseOrderReply" });
export const upperCaseOrdersReply = z
  .object({
    data: z.array(
      order.extend({
        type: z.enum(["BUY", "SELL", "RESTOCK"]),
        price,
        created_at: z.string().meta({ description: "ISO 8601, UTC" }),
      }),
    ),
    next: z.int().min(1).optional(),
  })
  .meta({ id: "UpperCaseOrdersReply" });
export const toyOrderReply = z
  .object({ data: z.object({ number: z.string(), name: z.string(), quantity: z.int().min(1) }) })
  .meta({ id: "ToyOrderReply" });
export const purchaseReply = z
  .object({
    data: z.object({
      order_number: z.int().meta({ description: "-1 if there was too little stock: nothing was bought" }),
    }),
  })
  .meta({ id: "PurchaseReply" });
export const leaderReply = z.object({ data: z.object({ order_leader: z.int() }) }).meta({ id: "LeaderReply" });
export const shortInvalidationReply = z
  .object({ data: z.literal("cache invalidation successful") })
  .meta({ id: "ShortInvalidationReply" });

export const failureReply = z
  .object({ error: z.object({ code: z.int().min(400).max(599), message: z.string(), reason: z.enum(failureReasons) }) })
  .meta({ id: "Failure" });

export const faultReply = z
  .object({ data: z.object({ fault: z.enum(faultKinds), replica: z.int().min(1) }) })
  .meta({ id: "FaultReply" });
export const catalogFaultReply = z
  .object({
    data: z.object({
      fault: z.enum(faultKinds),
      catalog: z.int().min(1).meta({ description: "The place of the catalog in CATALOG_ADDRESSES" }),
    }),
  })
  .meta({ id: "CatalogFaultReply" });

export const healthReply = z.object({ data: z.object({ status: z.literal("ok") }) }).meta({ id: "HealthReply" });
export const readyReply = z.object({ data: z.object({ ready: z.literal(true) }) }).meta({ id: "ReadyReply" });
/** The reply of `GET /openapi.json`. */
export const documentReply = z.looseObject({ openapi: z.string(), info: z.looseObject({}), paths: z.looseObject({}) });

const lastId = z.int().min(0).nullable().meta({ description: "The number of its last order; null if unknown" });
export const clusterReply = z
  .object({
    data: z.object({
      leader: z.int().nullable().meta({ description: "The leader's replica id; null if there is none" }),
      term: z.int(),
      catalog: z.object({
        state: z.enum(["live", "read-only", "away", "refusing"]),
        last_id: lastId,
        stocks: z
          .int()
          .min(0)
          .nullable()
          .meta({ description: "The number of stocks; null if the catalog doesn't answer" }),
        problem: z.string().optional().meta({ description: "Why the catalog can't write its ledger, or can't start" }),
      }),
      catalogs: z
        .array(z.object({ address: z.string(), state: z.enum(["active", "standby", "away"]) }))
        .optional()
        .meta({ description: "Several catalogs on one ledger, of which one is active; absent if there is one" }),
      front_ends: z
        .array(
          z.object({
            address: z.string(),
            state: z.enum(["live", "away"]),
            dialect: z.string().meta({ description: "The dialect of its routes and replies" }),
          }),
        )
        .meta({ description: "The front-end that replies, then the others that keep a cache" }),
      replicas: z.array(
        z.object({
          id: z.int(),
          state: z.enum(["live", "silent", "away"]),
          role: z.enum(["follower", "taking-over", "leader"]).nullable(),
          term: z.int().nullable(),
          last_id: lastId,
          lag: z.int().min(0).nullable().meta({ description: "Orders that it misses" }),
          live_followers: z.array(z.int()).nullable(),
        }),
      ),
      cache: z.object({
        capacity: z.int(),
        size: z.int(),
        hits: z.int(),
        misses: z.int(),
        leased: z.boolean().meta({ description: "Whether the front-end may answer from its cache now" }),
      }),
    }),
  })
  .meta({ id: "ClusterReply" });
