/** The catalog's database: it can be replaced by an older copy of itself, or made again from a replica's orders. */

import { initialStocks, stocks } from "@stock-bazaar/ledger/sqlite/tables";
import { openCatalogInMemory } from "../support/in-memory.ts";
import type { CatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { queryCatalog } from "@stock-bazaar/ledger/sqlite/query";
import { replayOrders } from "@stock-bazaar/db/recovery/replay-orders";
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
  /** What the stocks began with, as `seed` keeps it beside the database. */
  readonly #initialStocks: InitialStock[] = [];
  readonly #wallMs: () => number;
  #database: CatalogDatabase;

  /** `wallMs`: the time of whoever rebuilds it. */
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
    return this.#inRegister("head");
  }

  get term(): number {
    return this.#inRegister("term");
  }

  #inRegister(column: "head" | "term"): number {
    const row = this.#database.client.prepare<[], { value: number }>(`SELECT ${column} AS value FROM register`).get();
    return row?.value ?? 0;
  }

  /** A copy of the database as it is now. */
  image(): Buffer {
    return this.#database.client.serialize();
  }

  /** Beside the running catalog, as `npm run seed` does it. */
  seed(stock: InitialStock): void {
    this.#initialStocks.push(stock);
    insert(this.#database, stock);
  }

  /** The catalog must not run. */
  replace(image: Buffer): void {
    this.#put(openCatalogInMemory(image));
  }

  /** Neither the catalog nor a replica may run. `orders`: those of the longest replica. */
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

/** A catalog made of what the stocks began with and these orders, all in memory. */
export function rebuildFrom(began: readonly InitialStock[], orders: readonly Order[], nowMs: number): CatalogDatabase {
  const catalog = openCatalogInMemory();
  for (const stock of began) insert(catalog, stock);
  replayOrders(catalog, orders, undefined, nowMs);
  return catalog;
}

function insert(catalog: CatalogDatabase, { name, priceCents, quantity }: InitialStock): void {
  const query = queryCatalog(catalog);
  query.insert(stocks).values({ name, priceCents, quantity, volume: 0, rev: 0 }).run();
  query.insert(initialStocks).values({ name, quantity }).run();
}
