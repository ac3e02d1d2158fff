/**
 * What a running catalog remembers of its database: the register, the last order and the stocks that were traded lately.
 *
 * Only the catalog trades in this file, so what it has committed stays true until another connection commits something (a
 * seed, a change by hand). `PRAGMA data_version` shows that; inside a transaction its value can't change any more. So every
 * transaction begins with `refresh`. What a transaction has changed is remembered once its commit has returned, and
 * everything is forgotten when a write fails.
 */

import type { SqliteClient } from "@stock-bazaar/sqlite/connection";
import type { Order, Stock } from "@stock-bazaar/shared/domain";
import type { LedgerChange, LedgerRegister } from "../ledger.ts";
import { TradedStocks } from "../traded-stocks.ts";

export class LedgerMemory {
  readonly #readVersion: () => number | undefined;
  #version: number | undefined;
  #register: LedgerRegister | undefined;
  #last: Order | undefined;
  readonly #stocks = new TradedStocks();

  constructor(client: SqliteClient) {
    const version = client.prepare<[], number>("PRAGMA data_version").pluck();
    this.#readVersion = () => version.get();
  }

  /** Forgets everything if another connection has changed the database. To be called first in each transaction. */
  refresh(): void {
    const version = this.#readVersion();
    if (version === this.#version) return;
    this.forget();
    this.#version = version;
  }

  forget(): void {
    this.#register = undefined;
    this.#last = undefined;
    this.#stocks.clear();
  }

  /** The remembered value, or the result of `read`, which is remembered: it must be what is committed. */
  register(read: () => LedgerRegister): LedgerRegister {
    return (this.#register ??= read());
  }

  stock(name: string, read: (name: string) => Stock | undefined): Stock | undefined {
    const known = this.#stocks.get(name);
    if (known !== undefined) return known;
    const stock = read(name);
    // A name that no stock has isn't remembered: there is no end of such names.
    if (stock !== undefined) this.#stocks.remember(stock);
    return stock;
  }

  order(id: number, read: (id: number) => Order | undefined): Order | undefined {
    return this.#last?.id === id ? this.#last : read(id);
  }

  /** To be called when the commit of this change has returned. */
  committed({ head, orders, stocks }: LedgerChange): void {
    if (this.#register !== undefined) this.#register = { ...this.#register, head };
    this.#last = orders.at(-1) ?? this.#last;
    this.#stocks.committed(stocks);
  }
}
