/** Checks the promises I1–I3, I5 and I9 in the databases, during a run and after it. */

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

/** A rebuild of the catalog. */
export interface Rebuild {
  readonly atMs: number;
  /** Orders that no replica held. */
  readonly lost: readonly Order[];
}

/** Checks the catalog after every commit: I1 and I2 hold at each moment, and a written order never changes (I3). */
export class LedgerWatch {
  readonly #catalog: () => CatalogDatabase;
  readonly #initialStocks: () => readonly InitialStock[];
  readonly #nowMs: () => number;
  readonly #rebuilds: Rebuild[] = [];
  readonly #committedMs: number[] = [];
  #orders: Order[] = [];
  #explained = new Map<string, Explained>();
  /** The last id of the old copy, while one is in the ledger's place. */
  #copyHead: number | undefined;
  #prepared: { readonly catalog: CatalogDatabase; readonly statements: ReturnType<typeof prepare> } | undefined;

  /** `initialStocks` returns the stocks that were seeded so far. */
  constructor(catalog: () => CatalogDatabase, initialStocks: () => readonly InitialStock[], nowMs: () => number) {
    this.#catalog = catalog;
    this.#initialStocks = initialStocks;
    this.#nowMs = nowMs;
  }

  /** The ledger up to the last `look`. */
  get orders(): readonly Order[] {
    return this.#orders;
  }

  get rebuilds(): readonly Rebuild[] {
    return this.#rebuilds;
  }

  /** The time of the `look` that first saw the order; infinity if none has seen it. */
  committedMs(id: number): number {
    return this.#committedMs[id - 1] ?? Number.POSITIVE_INFINITY;
  }

  /** Must be called when an old copy takes the ledger's place. No order may be written until `replaced`. */
  replacedByCopy(): void {
    this.#copyHead = this.#statements.head.get()?.head ?? 0;
  }

  /** Must be called when the right ledger is in its place again. */
  replaced(): void {
    this.#copyHead = undefined;
  }

  /** Must be called when the ledger was rebuilt from the orders up to `head`. */
  rebuilt(head: number): void {
    this.replaced();
    this.#rebuilds.push({ atMs: this.#nowMs(), lost: this.#orders.slice(head) });
    const kept = this.#orders.slice(0, head);
    this.#orders = [];
    this.#explained = new Map();
    for (const order of kept) this.#explain(order);
    this.#committedMs.length = head;
  }

  /** Returns the violations in the orders and stocks written since the last call. */
  look(): string[] {
    if (this.#copyHead !== undefined) return this.#lookAtCopy(this.#copyHead);
    const wrong: string[] = [];
    for (const order of this.#statements.ordersAfter.all(this.#orders.length)) {
      if (order.id !== this.#orders.length + 1) wrong.push(`I2: order ${order.id} follows ${this.#orders.length}`);
      this.#committedMs.push(this.#nowMs());
      if (!this.#explain(order)) wrong.push(`I1: order ${order.id} names the stock ${order.name}, which never existed`);
    }
    const head = this.#statements.head.get()?.head;
    if (head !== this.#orders.length)
      wrong.push(`I2: the register's head is ${head}, but the ledger ends at ${this.#orders.length}`);
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

  /** Returns a violation if an order was changed after it was written. */
  rewritten(): string[] {
    const now = readLedger(this.#catalog());
    return differences("the ledger as first written", this.#orders, now);
  }

  get #statements(): ReturnType<typeof prepare> {
    const catalog = this.#catalog();
    if (this.#prepared?.catalog !== catalog) this.#prepared = { catalog, statements: prepare(catalog) };
    return this.#prepared.statements;
  }

  #lookAtCopy(copyHead: number): string[] {
    const [order] = this.#statements.ordersAfter.all(copyHead);
    return order ? [`I3: order id ${order.id} was used again, on an old copy of the ledger`] : [];
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
    const initial = this.#initialStocks().find((stock) => stock.name === name);
    if (!initial) return undefined;
    const explained = { quantity: initial.quantity, volume: 0, rev: 0 };
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
      return [`I3: ${whose} holds ${JSON.stringify(order)}; the ledger holds ${JSON.stringify(right)}`];
    }
  }
  return [];
}

/** I9: a catalog that is rebuilt from a replica with all orders equals the original. */
export function rebuiltDifferently(
  catalog: CatalogDatabase,
  replica: OrderDatabase,
  initialStocks: readonly InitialStock[],
): string[] {
  const rebuilt = rebuildFrom(initialStocks, readOrders(replica), 0);
  try {
    const [there, here] = [catalog, rebuilt].map(({ client }) =>
      JSON.stringify(client.prepare("SELECT * FROM stocks ORDER BY name").all()),
    );
    return [
      ...(there === here ? [] : [`I9: the stocks were ${there}; rebuilt, they are ${here}`]),
      ...differences("the rebuilt ledger", readLedger(rebuilt), readLedger(catalog)),
    ];
  } finally {
    rebuilt.close();
  }
}

/** A replica as its database shows it. */
export interface Copy {
  readonly name: string;
  /** The last order that it has committed, 0 if there is none. */
  readonly lastId: () => number;
}

/** The most orders that each replica has ever committed: a disk that is lost later doesn't break a promise. */
export class CopiesWatch {
  readonly #replicas: readonly Copy[];
  readonly #heldMax: number[];

  constructor(replicas: readonly Copy[]) {
    this.#replicas = replicas;
    this.#heldMax = replicas.map(() => 0);
  }

  /** Must be called before a replica's database is deleted and before copies are counted. */
  look(): void {
    for (const [index, { lastId }] of this.#replicas.entries()) {
      this.#heldMax[index] = Math.max(this.#heldMax[index] ?? 0, lastId());
    }
  }

  /** I5: returns a violation unless the leader, and at least `minCopies` replicas with it, have committed the order. */
  tooFew(orderId: number, minCopies: number, leader: Copy): string[] {
    const leaderEndsAt = leader.lastId();
    if (leaderEndsAt < orderId)
      return [`I5: ${leader.name} acknowledged order ${orderId}, but has committed only ${leaderEndsAt}`];
    const copies = this.#heldMax.filter((heldId) => heldId >= orderId).length;
    return copies >= minCopies
      ? []
      : [`I5: order ${orderId} was acknowledged with ${copies} copies (at least ${minCopies} are needed)`];
  }
}
