/** Reads orders page by page: there may be more than fit into memory. */

import type { Order } from "@stock-bazaar/shared/domain";
import type { Ledger } from "./ledger.ts";

/** Orders per page. */
const pageOrders = 5000;

/** The orders with ids above `after` up to `upTo`, ascending, from a ledger, a snapshot of one, or a replica. */
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
