/**
 * Checks I4 after the catalog ran on an older copy of its ledger, which could reuse the numbers of acknowledged orders.
 */

import type { TradeRecord } from "@stock-bazaar/client/bazaar-client";
import type { DatabaseFolders } from "@stock-bazaar/cluster/cluster";
import { ordersByKey } from "./snapshot.ts";
import type { Violation } from "./violation.ts";

/**
 * Reports each trade of `since` that received a number up to the highest one acknowledged `before`, unless the ledger
 * has that number under the trade's key. The newest ledger must be back in place.
 */
export async function numbersGivenAgain(
  folders: DatabaseFolders,
  before: readonly TradeRecord[],
  since: readonly TradeRecord[],
): Promise<Violation[]> {
  const highest = before.reduce((highest, { orderNumber = 0 }) => Math.max(highest, orderNumber), 0);
  const low = since.filter(({ orderNumber }) => orderNumber !== undefined && orderNumber <= highest);
  const orders = await ordersByKey(
    folders,
    low.map(({ request }) => request.key),
  );
  // Late and repeated replies agree with the ledger.
  const numbers = new Map(orders.map(({ key, id }) => [key, id]));
  return low
    .filter(({ request, orderNumber }) => numbers.get(request.key) !== orderNumber)
    .map(({ request: { key }, orderNumber }) => ({
      promise: "I4",
      harm: "doubled",
      text: `key ${key} received the number ${orderNumber}, after order ${highest} had been acknowledged`,
    }));
}
