/**
 * Several bazaars in one simulated time and network: each partition has its own ledger, catalogs and replicas, and all
 * share the front-ends.
 */

import type { Random } from "@stock-bazaar/shared/random";
import type { InitialStock } from "../catalog-store.ts";
import { type Caller, Network } from "../network.ts";
import type { Host, Life } from "../process.ts";
import { Scheduler } from "../scheduler.ts";
import { WatchedWorld } from "../watched-world.ts";
import type { Market } from "../workload.ts";
import { type FrontEnd, type FrontEndHost, newFrontEnds, type Settings, type World } from "../world.ts";
import { PartitionedBazaar } from "./partitioned-bazaar.ts";
import { homeOfKey, partitionOfStock } from "./rule.ts";

/** Of its stocks, a partition gets this many at most. */
const stocksMax = 2;
/** Share of the trades that come with a key of the client. */
const clientKeyChance = 0.5;

export interface PartitionsOptions {
  readonly count: number;
  /** Of each partition, except its stocks. */
  readonly settings: Settings;
  readonly random: Random;
  /** Receives the violations in one partition. */
  readonly found: (violations: readonly string[]) => void;
  readonly trace: ((line: string) => void) | undefined;
}

export class Partitions implements Market {
  readonly scheduler = new Scheduler();
  readonly network: Network;
  readonly frontEnds: readonly FrontEndHost[];
  readonly all: readonly WatchedWorld[];
  readonly settings: Pick<Settings, "stocks" | "lateStock">;
  /** The partition that has each stock, for the checks. */
  readonly partitionOf: ReadonlyMap<string, number>;
  readonly #random: Random;
  #keys = 0;

  constructor({ count, settings, random, found, trace }: PartitionsOptions) {
    this.#random = random.fork();
    this.network = new Network(this.scheduler, random.fork());
    this.frontEnds = newFrontEnds(settings);
    const stocks = Array.from({ length: count }, (_, partition) => drawStocks(random, partition, count));
    this.all = stocks.map(
      ([lateStock, ...initial], partition) =>
        new WatchedWorld({
          settings: { ...settings, stocks: initial, lateStock },
          random: random.fork(),
          found: (lines) => found(lines.map((line) => `partition ${partition}: ${line}`)),
          trace,
          site: {
            name: `partition-${partition}/`,
            scheduler: this.scheduler,
            network: this.network,
            frontEnds: this.frontEnds,
            startFrontEnd: (host) => this.#startFrontEnd(host),
          },
        }),
    );
    this.partitionOf = new Map(stocks.flatMap((of, partition) => of.map(({ name }) => [name, partition] as const)));
    // Those that aren't seeded yet are asked for, too.
    const [[lateStock] = [], ...others] = stocks;
    if (!lateStock) throw new Error(`there must be a partition (got ${count})`);
    this.settings = {
      stocks: [...stocks.flatMap(([, ...initial]) => initial), ...others.map(([late]) => late)],
      lateStock,
    };
  }

  get worlds(): readonly World[] {
    return this.all.map(({ world }) => world);
  }

  startAll(): void {
    for (const world of this.worlds) world.startAll();
  }

  newLife(name: string): Life {
    return this.#first.newLife(name);
  }

  /** A key that a client makes. */
  newId(): string {
    this.#keys += 1;
    return `key-${this.#keys}`;
  }

  /** A key as a front-end makes it: its home is the partition of the stock. */
  mintedKey(stock: string): string {
    const count = this.all.length;
    for (;;) {
      const key = this.newId();
      if (homeOfKey(key, count) === partitionOfStock(stock, count)) return key;
    }
  }

  newKey(stock: string): string {
    return this.#random.chance(clientKeyChance) ? this.newId() : this.mintedKey(stock);
  }

  /** Elsewhere than at its home, a key is only remembered as long as a rejection is. */
  remembersForEver({ key, name }: { readonly key: string; readonly name: string }): boolean {
    return homeOfKey(key, this.all.length) === this.partitionOf.get(name);
  }

  frontEndFor(caller: Caller, host: Host<FrontEnd>) {
    return this.#first.frontEndFor(caller, host);
  }

  trace(line: string): void {
    this.#first.trace(line);
  }

  close(): void {
    for (const world of this.worlds) world.close();
  }

  #startFrontEnd(host: FrontEndHost): void {
    const life = this.newLife(host.name);
    host.life = life;
    host.service = new PartitionedBazaar(this.worlds.map((world) => world.bazaarIn(host, life)));
    host.service.start();
  }

  get #first(): World {
    const [first] = this.worlds;
    if (!first) throw new Error("there must be a partition (got none)");
    return first;
  }
}

/** Draws stocks that belong to the partition; the first one is for later. */
function drawStocks(random: Random, partition: number, count: number): readonly [InitialStock, ...InitialStock[]] {
  const named = (start: string, wanted: number) => {
    const names: string[] = [];
    for (let number = 1; names.length < wanted; number += 1) {
      const name = `${start}-${number}`;
      if (partitionOfStock(name, count) === partition) names.push(name);
    }
    return names.map((name) => ({
      name,
      priceCents: random.whole(1, 5000),
      quantity: random.pick([0, 5, 40, 1000]),
    }));
  };
  const [late, ...rest] = [...named("LateCo", 1), ...named("Co", random.whole(1, stocksMax))];
  if (!late) throw new Error("a partition must have a stock (got none)");
  return [late, ...rest];
}
