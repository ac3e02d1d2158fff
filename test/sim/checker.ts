/** The promises I1–I3, I5 and I9, read in the stores while a run goes on and when it is over. */

import type { CatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import type { OrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { orderFields } from "@stock-bazaar/sqlite/order-rows";
import type { Order, Stock } from "@stock-bazaar/shared/domain";
import { type InitialStock, rebuildFrom } from "./catalog-store.ts";

export function readLedger({ client }: CatalogDatabase): Order[] {
  return client.prepare<[], Order>(`SELECT ${orderFields} FROM ledger ORDER BY id`).all();
}

export function readOrders({ client }: OrderDatabase): Order[] {
  return client.prepare<[], Order>(`SELECT ${orderFields} FROM orders ORDER BY id`).all();
}

interface Explained {
  quantity: number;
  volume: number;
  rev: number;
}

/** A rebuild of the catalog: orders that had reached no replica are gone with the one before. */
export interface Rebuild {
  readonly atMs: number;
  readonly lost: readonly Order[];
}

/** Looks at the catalog after every commit: I1 and I2 hold at each moment, and what is written stays (I3). */
export class LedgerWatch {
  readonly #catalog: () => CatalogDatabase;
  readonly #began: () => readonly InitialStock[];
  readonly #nowMs: () => number;
  readonly #rebuilds: Rebuild[] = [];
  readonly #committedMs: number[] = [];
  #orders: Order[] = [];
  #explained = new Map<string, Explained>();
  /** The last id of an old copy that is in the ledger's place. */
  #copyHead: number | undefined;
  #prepared: { readonly catalog: CatalogDatabase; readonly statements: ReturnType<typeof prepare> } | undefined;

  /** `began`: what the stocks have begun with so far. */
  constructor(catalog: () => CatalogDatabase, began: () => readonly InitialStock[], nowMs: () => number) {
    this.#catalog = catalog;
    this.#began = began;
    this.#nowMs = nowMs;
  }

  /** The ledger, as far as it has been looked at. */
  get orders(): readonly Order[] {
    return this.#orders;
  }

  get rebuilds(): readonly Rebuild[] {
    return this.#rebuilds;
  }

  /** When the order was committed, to the next look. */
  committedMs(id: number): number {
    return this.#committedMs[id - 1] ?? Number.POSITIVE_INFINITY;
  }

  /** An old copy takes the place of the ledger: until `replaced`, not one order may be written. */
  replacedByCopy(): void {
    this.#copyHead = this.#statements.head.get()?.head ?? 0;
  }

  /** The right ledger is in its place again. */
  replaced(): void {
    this.#copyHead = undefined;
  }

  /** The ledger was made again, from orders up to `head`. */
  rebuilt(head: number): void {
    this.replaced();
    this.#rebuilds.push({ atMs: this.#nowMs(), lost: this.#orders.slice(head) });
    const kept = this.#orders.slice(0, head);
    this.#orders = [];
    this.#explained = new Map();
    for (const order of kept) this.#explain(order);
    this.#committedMs.length = head;
  }

  look(): string[] {
    if (this.#copyHead !== undefined) return this.#lookAtCopy(this.#copyHead);
    const wrong: string[] = [];
    for (const order of this.#statements.ordersAfter.all(this.#orders.length)) {
      if (order.id !== this.#orders.length + 1) wrong.push(`I2: order ${order.id} follows ${this.#orders.length}`);
      this.#committedMs.push(this.#nowMs());
      if (!this.#explain(order)) wrong.push(`I1: order ${order.id} is about ${order.name}, which there never was`);
    }
    const head = this.#statements.head.get()?.head;
    if (head !== this.#orders.length)
      wrong.push(`I2: the register says ${head}, the ledger ends at ${this.#orders.length}`);
    for (const { name, quantity, volume, rev } of this.#statements.stocks.all()) {
      const explained = this.#explainedOf(name);
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
    const now = readLedger(this.#catalog());
    return differences("the ledger of before", this.#orders, now);
  }

  get #statements(): ReturnType<typeof prepare> {
    const catalog = this.#catalog();
    if (this.#prepared?.catalog !== catalog) this.#prepared = { catalog, statements: prepare(catalog) };
    return this.#prepared.statements;
  }

  #lookAtCopy(copyHead: number): string[] {
    const [order] = this.#statements.ordersAfter.all(copyHead);
    return order ? [`I3: the number ${order.id} was given again, on an old copy of the ledger`] : [];
  }

  #explain(order: Order): boolean {
    this.#orders.push(order);
    const stock = this.#explainedOf(order.name);
    if (!stock) return false;
    stock.quantity += order.type === "buy" ? -order.quantity : order.quantity;
    stock.volume += order.type === "restock" ? 0 : order.quantity;
    stock.rev = order.id;
    return true;
  }

  #explainedOf(name: string): Explained | undefined {
    const known = this.#explained.get(name);
    if (known) return known;
    const began = this.#began().find((stock) => stock.name === name);
    if (!began) return undefined;
    const explained = { quantity: began.quantity, volume: 0, rev: 0 };
    this.#explained.set(name, explained);
    return explained;
  }
}

function prepare({ client }: CatalogDatabase) {
  return {
    ordersAfter: client.prepare<[number], Order>(`SELECT ${orderFields} FROM ledger WHERE id > ? ORDER BY id`),
    stocks: client.prepare<[], Stock>("SELECT name, quantity, volume, rev FROM stocks"),
    head: client.prepare<[], { head: number }>("SELECT head FROM register"),
  };
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
  began: readonly InitialStock[],
): string[] {
  const rebuilt = rebuildFrom(began, readOrders(replica), 0);
  try {
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
