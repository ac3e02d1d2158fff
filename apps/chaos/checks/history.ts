/**
 * I6: lookups and trades of a stock look as if they had happened one after the other, whichever front-end they went
 * through. The number of the last order that a reply knows of is its place in that sequence, so checking a recorded
 * history is a scan: nothing may know of less than what had been told to anybody before it began.
 */

import type { TradeRecord } from "@stock-bazaar/client/bazaar-client";
import type { Order } from "@stock-bazaar/shared/domain";

export interface LookupRecord {
  readonly name: string;
  /** From the `ETag`: the last order that changed the stock. */
  readonly rev: number;
  readonly quantity: number;
  /** `x-cache`. */
  readonly cache: string;
  readonly url: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** A lookup without a stock in the reply, or without any reply. */
export interface FailedLookup {
  readonly url: string;
  /** 0: the connection was lost. */
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

/** What a row of the ledger did to a stock. */
export type LedgerOrder = Pick<Order, "id" | "name" | "type" | "quantity">;

/** What is wrong with a history, in readable lines; none if it is linearizable. */
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
    // The first of those who asked for it with the same key.
    tradeStartsMs.set(orderNumber, Math.min(startMs, tradeStartsMs.get(orderNumber) ?? startMs));
  }
  return [
    ...lookups
      .filter(({ name, rev, quantity }) => quantities.get(name)?.get(rev) !== quantity)
      .map(
        ({ name, rev, quantity, url }) =>
          `${url} told ${quantity} of ${name} at rev ${rev}; the ledger says ${quantities.get(name)?.get(rev)}`,
      ),
    ...events
      .filter(({ rev, endMs }) => (tradeStartsMs.get(rev) ?? Number.NEGATIVE_INFINITY) > endMs)
      .map(({ what, name, rev }) => `${what} knew order ${rev} of ${name} before anybody had asked for it`),
    ...goneBack(events),
  ];
}

/** Events that knew less than one which had ended before they began. */
function goneBack(events: readonly Event[]): string[] {
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
        `${event.what} knew ${event.name} at rev ${event.rev}, begun ${lateMs} ms after a ${known.what} told rev ${known.rev}`,
      );
    }
  }
  return wrong;
}

/** For each stock its quantity after each of its orders; rev 0 is before the first. */
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
