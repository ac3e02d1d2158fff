/**
 * The stocks that this process has traded lately, as its last commit left them. While the register has its epoch nobody else
 * changes such a stock, so a proof of the epoch makes the remembered state as good as one that was read (R11). A new epoch
 * begins with an empty memory.
 */

import type { Stock } from "@stock-bazaar/shared/domain";

/** All stocks are forgotten when more than these have been traded: about 10 MB. */
const stocksMax = 50_000;

export class TradedStocks {
  readonly #stocks = new Map<string, Stock>();

  /** To be called when the commit of these changes has been answered, in the order of the commits. */
  committed(changed: readonly Stock[]): void {
    for (const stock of changed) {
      if (this.#stocks.size >= stocksMax && !this.#stocks.has(stock.name)) this.#stocks.clear();
      this.#stocks.set(stock.name, stock);
    }
  }

  get(name: string): Stock | undefined {
    return this.#stocks.get(name);
  }
}
