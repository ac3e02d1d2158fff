/** Orders a page at a time: there may be more than fit into memory. */

import type { Order } from "@stock-bazaar/shared/domain";
import type { Ledger } from "./ledger.ts";

/** Orders that are read at once. */
const pageOrders = 5000;

/** Of a ledger, of one moment of it, or of a replica: those above `after` up to `upTo`, in the order of their ids. */
export async function* orderPages(
  source: Pick<Ledger, "ordersAfter">,
  after = 0,
  upTo = Number.MAX_SAFE_INTEGER,
): AsyncGenerator<readonly Order[]> {
  for (let last = after; last < upTo; ) {
    const page = (await source.ordersAfter(last, pageOrders)).filter(({ id }) => id <= upTo);
    const end = page.at(-1);
    if (!end) return;
    yield page;
    last = end.id;
  }
}
