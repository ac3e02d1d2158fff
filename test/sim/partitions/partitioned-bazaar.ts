/** A front-end over several ledgers: one `LiveBazaar` for each, with its own cache, lease and leader, and the rule that picks one. */

import type { LiveBazaar } from "@stock-bazaar/front-end/live-bazaar";
import type { StocksPage, StocksRequest } from "@stock-bazaar/shared/api";
import type { Order, Outcome, Trade } from "@stock-bazaar/shared/domain";
import type { FrontEnd } from "../world.ts";
import { homeOfKey, idOf, numberOf, partitionOfNumber, partitionOfStock } from "./rule.ts";

export class PartitionedBazaar implements FrontEnd {
  readonly #bazaars: readonly LiveBazaar[];

  constructor(bazaars: readonly LiveBazaar[]) {
    this.#bazaars = bazaars;
  }

  start(): void {
    for (const bazaar of this.#bazaars) bazaar.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#bazaars.map((bazaar) => bazaar.stop()));
  }

  lookup(name: string) {
    return this.#at(partitionOfStock(name, this.#count)).lookup(name);
  }

  /**
   * A key is remembered by its home, so that a second trade of another partition with the same key is refused (R3). The
   * home is asked first if it isn't the stock's partition. It has no such stock, so it rejects the trade, and thereby
   * stores the key with the trade's fingerprint. Each step is safe to repeat: a claim without a trade does nothing.
   */
  async trade(trade: Trade, minted: boolean): Promise<Outcome> {
    const partition = partitionOfStock(trade.name, this.#count);
    const home = homeOfKey(trade.key, this.#count);
    if (home !== partition) {
      const claim = await this.#at(home).trade(trade, false);
      if (claim.status === "key-reused") return claim;
    }
    const outcome = await this.#at(partition).trade(trade, minted && home === partition);
    if (outcome.status !== "accepted") return outcome;
    return { ...outcome, orderId: numberOf(outcome.orderId, partition, this.#count) };
  }

  async order(number: number): Promise<Order | undefined> {
    const id = idOf(number, this.#count);
    const order = id > 0 ? await this.#at(partitionOfNumber(number, this.#count)).order(id) : undefined;
    return order && { ...order, id: number };
  }

  /** A page of all partitions' stocks, merged by name. */
  async stocks(request: StocksRequest): Promise<StocksPage> {
    const pages = await Promise.all(this.#bazaars.map((bazaar) => bazaar.stocks(request)));
    const stocks = pages.flatMap((page) => page.stocks).sort((one, other) => (one.name < other.name ? -1 : 1));
    // A page that isn't the last of its partition is a full one, and the merged page must not be longer.
    const limit = Math.min(request.limit, ...pages.filter(({ more }) => more).map((page) => page.stocks.length));
    return {
      stocks: stocks.slice(0, limit),
      life: pages.map(({ life }) => life).join(),
      more: stocks.length > limit || pages.some(({ more }) => more),
    };
  }

  get #count(): number {
    return this.#bazaars.length;
  }

  #at(partition: number): LiveBazaar {
    const bazaar = this.#bazaars[partition];
    if (!bazaar) throw new Error(`the partition must be from 0 to ${this.#count - 1} (got ${partition})`);
    return bazaar;
  }
}
