/** Plain values from messages, where the two differ. A message that makes no sense is a BazaarError. */

import type { Order as OrderMessage } from "@stock-bazaar/proto/generated/bazaar";
import type { Order } from "./domain.ts";
import { BazaarError } from "./errors.ts";

/** A row that may be absent; one that makes no sense is no row that anybody holds. */
export function lastFromMessage({ last }: { readonly last?: OrderMessage | undefined }): Order | undefined {
  return last && orderFromMessage(last);
}

export function orderFromMessage(message: OrderMessage): Order {
  const { type } = message;
  if (type === "buy" || type === "sell" || type === "restock") return message as Order;
  throw new BazaarError("INVALID_REQUEST", `unknown order type: ${type}`);
}
