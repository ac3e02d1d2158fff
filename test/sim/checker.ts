/** The promises I1–I3, I5 and I9, read in the stores while a run goes on and when it is over. */

import { stocks } from "@stock-bazaar/db/catalog-tables";
import { openCatalogInMemory } from "@stock-bazaar/db/migrations";
import type { CatalogDatabase, OrderDatabase } from "@stock-bazaar/db/open";
import { orderFields } from "@stock-bazaar/db/order-rows";
import { replayOrders } from "@stock-bazaar/db/replay-orders";
import { queryCatalog } from "@stock-bazaar/db/query";
import type { Order, Stock } from "@stock-bazaar/shared/domain";

export function readLedger({ client }: CatalogDatabase): Order[] {
  return client.prepare<[], Order>(`SELECT ${orderFields} FROM ledger ORDER BY id`).all();
}

export function readOrders({ client }: OrderDatabase): Order[] {
  return client.prepare<[], Order>(`SELECT ${orderFields} FROM orders ORDER BY id`).all();
}

/** Looks at the catalog after every commit: I1 and I2 hold at each moment, and what is written stays (I3). */
export class LedgerWatch {
  readonly #catalog: CatalogDatabase;
  readonly #quantities: Map<string, { quantity: number; volume: number; rev: number }>;
  readonly #ordersAfter;
  readonly #stocks;
  readonly #head;
  #orders: Order[] = [];

  constructor(catalog: CatalogDatabase, initialQuantities: ReadonlyMap<string, number>) {
    this.#catalog = catalog;
    this.#quantities = new Map(
      Array.from(initialQuantities, ([name, quantity]) => [name, { quantity, volume: 0, rev: 0 }]),
    );
    const { client } = catalog;
    this.#ordersAfter = client.prepare<[number], Order>(`SELECT ${orderFields} FROM ledger WHERE id > ? ORDER BY id`);
    this.#stocks = client.prepare<[], Stock>("SELECT name, quantity, volume, rev FROM stocks");
    this.#head = client.prepare<[], { head: number }>("SELECT head FROM register");
  }

  /** The ledger, as far as it has been looked at. */
  get orders(): readonly Order[] {
    return this.#orders;
  }

  look(): string[] {
    const wrong: string[] = [];
    for (const order of this.#ordersAfter.all(this.#orders.length)) {
      if (order.id !== this.#orders.length + 1) wrong.push(`I2: order ${order.id} follows ${this.#orders.length}`);
      this.#orders.push(order);
      const stock = this.#quantities.get(order.name);
      if (!stock) {
        wrong.push(`I1: order ${order.id} is about ${order.name}, which there never was`);
        continue;
      }
      stock.quantity += order.type === "buy" ? -order.quantity : order.quantity;
      stock.volume += order.type === "restock" ? 0 : order.quantity;
      stock.rev = order.id;
    }
    const head = this.#head.get()?.head;
    if (head !== this.#orders.length)
      wrong.push(`I2: the register says ${head}, the ledger ends at ${this.#orders.length}`);
    for (const { name, quantity, volume, rev } of this.#stocks.all()) {
      const explained = this.#quantities.get(name);
      if (quantity < 0 || quantity !== explained?.quantity || volume !== explained.volume || rev !== explained.rev) {
        wrong.push(
          `I1: ${name} is ${JSON.stringify({ quantity, volume, rev })}; the ledger explains ${JSON.stringify(explained)}`,
        );
      }
    }
    return wrong;
  }

  /** Has anything that was there been changed? */
  rewritten(): string[] {
    const now = readLedger(this.#catalog);
    return differences("the ledger of before", this.#orders, now);
  }
}

/** I3: `orders` is a prefix of the ledger, row for row. */
export function differences(whose: string, orders: readonly Order[], ledger: readonly Order[]): string[] {
  for (const [index, order] of orders.entries()) {
    const right = ledger[index];
    if (JSON.stringify(order) !== JSON.stringify(right)) {
      return [`I3: ${whose} holds ${JSON.stringify(order)}; the ledger ${JSON.stringify(right)}`];
    }
  }
  return [];
}

/** I9: the catalog made again from a replica that holds all orders is the one that was there. */
export function rebuiltDifferently(
  catalog: CatalogDatabase,
  replica: OrderDatabase,
  initialStocks: readonly Pick<Stock, "name" | "priceCents" | "quantity">[],
): string[] {
  const rebuilt = openCatalogInMemory();
  try {
    queryCatalog(rebuilt)
      .insert(stocks)
      .values(initialStocks.map((stock) => ({ ...stock, volume: 0, rev: 0 })))
      .run();
    replayOrders(rebuilt, readOrders(replica));
    const [there, here] = [catalog, rebuilt].map(({ client }) =>
      JSON.stringify(client.prepare("SELECT * FROM stocks ORDER BY name").all()),
    );
    return [
      ...(there === here ? [] : [`I9: the stocks were ${there}; made again they are ${here}`]),
      ...differences("the ledger that was made again", readLedger(rebuilt), readLedger(catalog)),
    ];
  } finally {
    rebuilt.close();
  }
}

/** How many orders each replica's disk has held at some time: a disk that is lost later doesn't undo a promise. */
export class CopiesWatch {
  readonly #lastIds: readonly (() => number)[];
  readonly #heldMax: number[];

  constructor(lastIds: readonly (() => number)[]) {
    this.#lastIds = lastIds;
    this.#heldMax = lastIds.map(() => 0);
  }

  /** To be called before a replica's database is deleted, and whenever copies are counted. */
  look(): void {
    for (const [index, lastId] of this.#lastIds.entries()) {
      this.#heldMax[index] = Math.max(this.#heldMax[index] ?? 0, lastId());
    }
  }

  /** I5: enough disks hold or have held the order. */
  tooFew(orderId: number, minCopies: number): string[] {
    const copies = this.#heldMax.filter((heldId) => heldId >= orderId).length;
    return copies >= minCopies ? [] : [`I5: order ${orderId} was acknowledged with ${copies} copies of ${minCopies}`];
  }
}
