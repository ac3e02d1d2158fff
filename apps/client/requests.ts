/** A trade as it is asked for, and what a reply tells of it. */

import type { TradeType } from "@stock-bazaar/shared/domain";
import { at } from "@stock-bazaar/shared/json";

export interface TradeRequest {
  readonly key: string;
  readonly name: string;
  readonly type: TradeType;
  readonly quantity: number;
}

/** `data.transaction_number` of a trade's reply. */
export function orderNumber(body: unknown): number | undefined {
  const number = at(body, "data", "transaction_number");
  return typeof number === "number" ? number : undefined;
}
