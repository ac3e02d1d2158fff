/** Plain values from messages, where the two differ. A message that makes no sense is a BazaarError. */

import type { Order as OrderMessage } from "@stock-bazaar/proto/generated/bazaar";
import type { Order } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";

/** To be compared with the row that somebody holds, so that a type which makes no sense just differs. */
export function lastFromMessage({ last }: { readonly last?: OrderMessage | undefined }): Order | undefined {
  return last as Order | undefined;
}

export function orderFromMessage(message: OrderMessage): Order {
  const { type } = message;
  if (type === "buy" || type === "sell" || type === "restock") return message as Order;
  throw new BazaarError("INVALID_REQUEST", `unknown order type: ${type}`);
}
