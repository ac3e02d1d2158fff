/**
 * Checks I6: lookups and trades of a stock look as if they had happened one after the other, through any front-end.
 * Each reply shows the number of the stock's last order, which is its place in that sequence. So the check is one scan
 * of the recorded history: no reply may show a lower number than a reply that ended before its request began.
 */

import type { TradeRecord } from "@stock-bazaar/client/bazaar-client";
import type { Order } from "@stock-bazaar/shared/domain";

export interface LookupRecord {
  readonly name: string;
  /** The stock's revision, from the `ETag`. */
  readonly rev: number;
  readonly quantity: number;
  /** The value of the `x-cache` header. */
  readonly cache: string;
  readonly url: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** A lookup whose reply has no stock, or that got no reply. */
export interface FailedLookup {
  readonly url: string;
  /** 0 if the connection was lost. */
  readonly status: number;
  readonly text: string;
}

interface Event {
  readonly what: string;
  readonly name: string;
  readonly rev: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** The columns of a ledger row that explain a stock's quantity. */
export type LedgerOrder = Pick<Order, "id" | "name" | "type" | "quantity">;

/** Returns a readable line for each violation in a history; none if it is linearizable. */
export function staleReads(
  lookups: readonly LookupRecord[],
  trades: readonly TradeRecord[],
  ledger: readonly LedgerOrder[],
  initialQuantities: ReadonlyMap<string, number>,
): string[] {
  const quantities = replay(ledger, initialQuantities);
  const events: Event[] = [
    ...lookups.map(({ name, rev, cache, url, startMs, endMs }) => ({
      what: `lookup (${cache}) at ${url}`,
      name,
      rev,
      startMs,
      endMs,
    })),
    ...trades.flatMap(({ request, orderNumber, startMs, endMs }) =>
      orderNumber === undefined ? [] : [{ what: "trade", name: request.name, rev: orderNumber, startMs, endMs }],
    ),
  ];
  const tradeStartsMs = new Map<number | undefined, number>();
  for (const { orderNumber, startMs } of trades) {
    // The first of the requests with the same key.
    tradeStartsMs.set(orderNumber, Math.min(startMs, tradeStartsMs.get(orderNumber) ?? startMs));
  }
  return [
    ...lookups
      .filter(({ name, rev, quantity }) => quantities.get(name)?.get(rev) !== quantity)
      .map(
        ({ name, rev, quantity, url }) =>
          `${name} at rev ${rev} must have quantity ${quantities.get(name)?.get(rev)} (got ${quantity} from ${url})`,
      ),
    ...events
      .filter(({ rev, endMs }) => (tradeStartsMs.get(rev) ?? Number.NEGATIVE_INFINITY) > endMs)
      .map(({ what, name, rev }) => `${what} returned order ${rev} of ${name} before a client had requested it`),
    ...outOfOrder(events),
  ];
}

/** Events that show an older revision than an event that ended before they began. */
function outOfOrder(events: readonly Event[]): string[] {
  const ended = [...events].sort((a, b) => a.endMs - b.endMs);
  const newest = new Map<string, Event>();
  const wrong: string[] = [];
  let next = 0;
  for (const event of [...events].sort((a, b) => a.startMs - b.startMs)) {
    for (let past = ended[next]; past && past.endMs < event.startMs; past = ended[next]) {
      if (past.rev > (newest.get(past.name)?.rev ?? -1)) newest.set(past.name, past);
      next += 1;
    }
    const known = newest.get(event.name);
    if (known && event.rev < known.rev) {
      const lateMs = (event.startMs - known.endMs).toFixed(1);
      wrong.push(
        `${event.what} returned rev ${event.rev} of ${event.name}; it began ${lateMs} ms after a ${known.what} had returned rev ${known.rev}`,
      );
    }
  }
  return wrong;
}

/** Returns, for each stock, its quantity after each of its orders; rev 0 is before the first. */
function replay(
  ledger: readonly LedgerOrder[],
  initialQuantities: ReadonlyMap<string, number>,
): Map<string, Map<number, number>> {
  const now = new Map(initialQuantities);
  const all = new Map(Array.from(initialQuantities, ([name, quantity]) => [name, new Map([[0, quantity]])]));
  for (const { id, name, type, quantity } of ledger) {
    const after = (now.get(name) ?? 0) + (type === "buy" ? -quantity : quantity);
    now.set(name, after);
    all.get(name)?.set(id, after);
  }
  return all;
}
