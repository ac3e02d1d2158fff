/** Plain values to messages and back, where the two differ. A message that makes no sense is a BazaarError. */

import type { Order__Output } from "@stock-bazaar/proto/generated/bazaar/v1/Order";
import type { Outcome as OutcomeMessage, Outcome__Output } from "@stock-bazaar/proto/generated/bazaar/v1/Outcome";
import type { Trade__Output } from "@stock-bazaar/proto/generated/bazaar/v1/Trade";
import type { Order, Outcome, Trade } from "./domain.ts";
import { BazaarError } from "./errors.ts";

export function outcomeToMessage(outcome: Outcome): OutcomeMessage {
  switch (outcome.status) {
    case "accepted":
      return { orderId: outcome.orderId, replayed: outcome.replayed };
    case "rejected":
      return { error: outcome.reason, replayed: outcome.replayed };
    case "key-reused":
      return { error: "KEY_REUSED" };
  }
}

export function outcomeFromMessage({ orderId, error, replayed }: Outcome__Output): Outcome {
  switch (error) {
    case "NO_ERROR":
      return { status: "accepted", orderId, replayed };
    case "INVALID_STOCKNAME":
    case "INSUFFICIENT_QUANTITY":
      return { status: "rejected", reason: error, replayed };
    case "KEY_REUSED":
      return { status: "key-reused" };
    default:
      throw unknownValue("outcome", error);
  }
}

export function orderFromMessage(message: Order__Output): Order {
  const { type } = message;
  if (type !== "buy" && type !== "sell" && type !== "restock") throw unknownValue("order type", type);
  return message as Order;
}

export function tradeFromMessage(message: Trade__Output): Trade {
  const { type } = message;
  if (type !== "buy" && type !== "sell") throw unknownValue("trade type", type);
  if (message.key === "" || message.quantity < 1)
    throw new BazaarError("INVALID_REQUEST", "a trade needs a key and a positive quantity");
  return message as Trade;
}

function unknownValue(what: string, value: string): BazaarError {
  return new BazaarError("INVALID_REQUEST", `unknown ${what}: ${value}`);
}
