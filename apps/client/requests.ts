/** The request of a trade, and the order number in its reply. */

import type { TradeType } from "@stock-bazaar/shared/domain";
import { at } from "@stock-bazaar/shared/json";

export interface TradeRequest {
  readonly key: string;
  readonly name: string;
  readonly type: TradeType;
  readonly quantity: number;
}

/** Reads `data.transaction_number` from a trade's reply. */
export function orderNumber(body: unknown): number | undefined {
  const number = at(body, "data", "transaction_number");
  return typeof number === "number" ? number : undefined;
}
