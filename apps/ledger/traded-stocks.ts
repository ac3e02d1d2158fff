/** The stocks that a ledger's process has traded lately, as its last commit left them. */

import type { Stock } from "@stock-bazaar/shared/domain";

/** All stocks are forgotten when more than these have been traded: about 10 MB. */
const stocksMax = 50_000;

export class TradedStocks {
  readonly #stocks = new Map<string, Stock>();

  /** To be called when the commit of these changes has been answered, in the order of the commits. */
  committed(changed: readonly Stock[]): void {
    for (const stock of changed) this.remember(stock);
  }

  /** `stock` must be what is committed. */
  remember(stock: Stock): void {
    if (this.#stocks.size >= stocksMax && !this.#stocks.has(stock.name)) this.#stocks.clear();
    this.#stocks.set(stock.name, stock);
  }

  get(name: string): Stock | undefined {
    return this.#stocks.get(name);
  }

  clear(): void {
    this.#stocks.clear();
  }
}
