/** The trades that clients were told of, and whether the ledger holds them. */

import type { LedgerOrder } from "@stock-bazaar/chaos/checks/history";

interface Told {
  readonly name: unknown;
  readonly quantity: unknown;
}

const shownMax = 5;
/** A whole body; an example in a document isn't one. */
const orderNumber = /\{"data":\{"(?:transaction|order)_number":(\d+)\}\}(?=HTTP\/1\.1 |$)/g;

export class ToldTrades {
  /** By order number: what the request asked for, or nothing if that can't be read from its bytes. */
  readonly #told = new Map<number, Told | undefined>();

  get size(): number {
    return this.#told.size;
  }

  /** Records the orders that a reply names. `request` is the one request that it answers, if there was only one. */
  reply(text: string, request?: string): void {
    for (const [, number] of text.matchAll(orderNumber)) {
      const asked = request === undefined ? undefined : tradeIn(request);
      if (asked !== undefined || !this.#told.has(Number(number))) this.#told.set(Number(number), asked);
    }
  }

  /** Returns a sentence for each trade that was told and isn't in the ledger as it was asked for. */
  missing(ledger: readonly LedgerOrder[]): string[] {
    const faults: string[] = [];
    for (const [number, asked] of this.#told) {
      if (faults.length === shownMax) break;
      const order = ledger[number - 1];
      const fits = order?.id === number && (!asked || (order.name === asked.name && order.quantity === asked.quantity));
      if (!fits)
        faults.push(
          `order ${number} must be in the ledger as it was told, ${JSON.stringify(asked)} (got ${JSON.stringify(order)})`,
        );
    }
    return faults;
  }
}

/** The name and quantity in the body of a request with a content-length. */
function tradeIn(request: string): Told | undefined {
  const body = request.slice(request.indexOf("\r\n\r\n") + 4);
  try {
    const { name, quantity } = JSON.parse(Buffer.from(body, "latin1").toString()) as Partial<Told>;
    return typeof name === "string" ? { name, quantity } : undefined;
  } catch {
    return undefined;
  }
}
