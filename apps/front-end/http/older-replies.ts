/** The replies of the systems that this one replaces, character for character. */

import { replayedHeader } from "@stock-bazaar/contract/headers";
import type { Order } from "@stock-bazaar/shared/domain";
import { Failure } from "./failures.ts";
import type { TradeWords } from "./place-trade.ts";
import { json, type Reply } from "./reply.ts";
import { jsonDocs, type SuccessDocs } from "./route.ts";
import { purchaseReply } from "@stock-bazaar/contract/schemas";

export const orderNotFound = new Failure(404, "INVALID_ORDERNUMBER", "order not found");
export const productNotFound = new Failure(404, "INVALID_STOCKNAME", "product not found");
export const noOrderLeader = new Failure(500, "INTERNAL_ERROR", "Internal Server Error. Check get_order_leader logs");
export const notJson = new Failure(415, "INVALID_REQUEST", "Content-Type must be application/json");
export const lengthRequired = new Failure(411, "INVALID_REQUEST", "Content-Length is required");

export function notInDatabase(name: string): Failure {
  return new Failure(400, "INVALID_STOCKNAME", `Bad request. ${name} stock not found in db`);
}

export function insufficientVolume(name: string): Failure {
  return new Failure(500, "INSUFFICIENT_QUANTITY", `Insufficient volume for ${name} stock`);
}

/** A purchase of more than the available quantity succeeds with the number -1. */
export const purchaseReplies: Pick<TradeWords, "accepted" | "rejected"> = {
  accepted: (orderId) => json({ data: { order_number: orderId } }),
  rejected: (reason) => (reason === "INVALID_STOCKNAME" ? productNotFound : json({ data: { order_number: -1 } })),
};

export const purchaseDocs: SuccessDocs = {
  ...jsonDocs("The number of the order, or -1 if there is too little stock", purchaseReply, {
    data: { order_number: 10 },
  }),
  headers: [replayedHeader],
};

export const invalidationSuccessful = { data: "cache invalidation successful" } as const;

export function upperCaseOrder({ id, name, type, quantity }: Order): Reply {
  return json({ data: { number: id, name, type: type.toUpperCase(), quantity } });
}
