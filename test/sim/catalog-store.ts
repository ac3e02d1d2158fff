/** The catalog's database, which can be replaced by an older copy of itself or rebuilt from a replica's orders. */

import { initialStocks, stocks } from "@stock-bazaar/ledger/sqlite/tables";
import { openCatalogInMemory } from "../support/in-memory.ts";
import type { CatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { queryCatalog } from "@stock-bazaar/ledger/sqlite/query";
import { replayOrders } from "@stock-bazaar/ledger/sqlite/replay-orders";
import type { Order } from "@stock-bazaar/shared/domain";
import type { Random } from "@stock-bazaar/shared/random";
import { Disk } from "./disk.ts";

export interface InitialStock {
  readonly name: string;
  readonly priceCents: number;
  readonly quantity: number;
}

export class CatalogStore {
  readonly disk: Disk;
  /** The initial stocks, kept outside the database as the seed file is. */
  readonly #initialStocks: InitialStock[] = [];
  readonly #wallMs: () => number;
  #database: CatalogDatabase;

  /** `wallMs` is the wall clock of the command that rebuilds the catalog. */
  constructor(random: Random, seeded: readonly InitialStock[], wallMs: () => number) {
    this.#wallMs = wallMs;
    this.#database = openCatalogInMemory();
    this.disk = new Disk(random, () => this.#database.client);
    for (const stock of seeded) this.seed(stock);
  }

  get database(): CatalogDatabase {
    return this.#database;
  }

  get initialStocks(): readonly InitialStock[] {
    return this.#initialStocks;
  }

  /** The last id of the ledger. */
  get head(): number {
    return inRegister(this.#database, "head");
  }

  /** The last id that a power cut would leave; infinity if it would lose nothing. */
  get syncedHead(): number {
    const { afterPowerCut } = this.disk;
    if (afterPowerCut === undefined) return Number.POSITIVE_INFINITY;
    const left = openCatalogInMemory(afterPowerCut);
    try {
      return inRegister(left, "head");
    } finally {
      left.close();
    }
  }

  get term(): number {
    return inRegister(this.#database, "term");
  }

  /** A copy of the database as it is now. */
  image(): Buffer {
    return this.#database.client.serialize();
  }

  /** Adds a stock, also while the catalog runs, as `npm run seed` does. */
  seed(stock: InitialStock): void {
    this.#initialStocks.push(stock);
    insert(this.#database, stock);
  }

  /** Replaces the database. The catalog must not run. */
  replace(image: Buffer): void {
    this.#put(openCatalogInMemory(image));
  }

  /** Rebuilds the database from the orders of the longest replica. Neither the catalog nor a replica may run. */
  rebuild(orders: readonly Order[]): void {
    const rebuilt = rebuildFrom(this.#initialStocks, orders, this.#wallMs());
    this.#put(rebuilt);
  }

  #put(database: CatalogDatabase): void {
    this.#database.close();
    this.#database = database;
    this.disk.mend();
  }
}

/** Rebuilds a catalog in memory from the initial stocks and these orders. */
export function rebuildFrom(
  initial: readonly InitialStock[],
  orders: readonly Order[],
  nowMs: number,
): CatalogDatabase {
  const catalog = openCatalogInMemory();
  for (const stock of initial) insert(catalog, stock);
  replayOrders(catalog, orders, undefined, nowMs);
  return catalog;
}

function inRegister({ client }: CatalogDatabase, column: "head" | "term"): number {
  return client.prepare<[], { value: number }>(`SELECT ${column} AS value FROM register`).get()?.value ?? 0;
}

function insert(catalog: CatalogDatabase, { name, priceCents, quantity }: InitialStock): void {
  const query = queryCatalog(catalog);
  query.insert(stocks).values({ name, priceCents, quantity, volume: 0, rev: 0 }).run();
  query.insert(initialStocks).values({ name, quantity }).run();
}
