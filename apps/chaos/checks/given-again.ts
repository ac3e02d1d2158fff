/** I4 where an older copy stood in for the ledger: it would give numbers again that acknowledged orders have. */

import type { TradeRecord } from "@stock-bazaar/client/bazaar-client";
import type { DatabaseFolders } from "@stock-bazaar/cluster/cluster";
import { ordersByKey } from "./snapshot.ts";
import type { Violation } from "./violation.ts";

/**
 * Reports each trade of `since` that received a number up to the highest one acknowledged `before`, unless the ledger has
 * that number under the trade's key. The right ledger must be in its place again.
 */
export function numbersGivenAgain(
  folders: DatabaseFolders,
  before: readonly TradeRecord[],
  since: readonly TradeRecord[],
): Violation[] {
  const highest = before.reduce((highest, { orderNumber = 0 }) => Math.max(highest, orderNumber), 0);
  const low = since.filter(({ orderNumber }) => orderNumber !== undefined && orderNumber <= highest);
  const orders = ordersByKey(
    folders,
    low.map(({ request }) => request.key),
  );
  // A late reply, or one that repeats an earlier one, agrees with the ledger.
  const numbers = new Map(orders.map(({ key, id }) => [key, id]));
  return low
    .filter(({ request, orderNumber }) => numbers.get(request.key) !== orderNumber)
    .map(({ request: { key }, orderNumber }) => ({
      promise: "I4",
      harm: "doubled",
      text: `key ${key} received the number ${orderNumber}, after order ${highest} had been acknowledged`,
    }));
}
