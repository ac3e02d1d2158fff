/**
 * The catalog and its order replicas in one process, on SQLite in memory, with a clock and connections that a test controls.
 * Everything but the transport is production code.
 */

import { createSqliteLedger } from "@stock-bazaar/ledger/sqlite/sqlite-ledger";
import { Catalog } from "@stock-bazaar/catalog/catalog";
import { openCatalogInMemory, openOrdersInMemory } from "./in-memory.ts";
import type { OrderLog } from "@stock-bazaar/order-log/order-log";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";
import { Replica } from "@stock-bazaar/order/replica";
import type { CatalogApi } from "@stock-bazaar/shared/api";
import { unpackOutcomes } from "@stock-bazaar/shared/batches";
import type { Order, Stock, Trade } from "@stock-bazaar/shared/domain";
import { silentLogger } from "@stock-bazaar/process/log";
import { asking, stockOf } from "./builders.ts";
import type { ManualClock } from "./manual-clock.ts";
import { Wire } from "./streams.ts";

export const leaseMs = 500;

/** Creates a ledger in memory with these stocks. */
export function memoryLedger(stocks: readonly Stock[]) {
  const database = openCatalogInMemory();
  const insert = database.client.prepare(
    "INSERT INTO stocks (name, price_cents, quantity, volume, rev) VALUES (?, ?, ?, ?, ?)",
  );
  for (const { name, priceCents, quantity, volume, rev } of stocks) insert.run(name, priceCents, quantity, volume, rev);
  return createSqliteLedger(database);
}

/** Connects to the catalog over a wire. A test may replace single methods. */
export function catalogOver(wire: Wire, catalog: CatalogApi): CatalogApi {
  return {
    apply: (request) => wire.call(() => catalog.apply(request)),
    restock: (request) => wire.call(() => catalog.restock(request)),
    settle: (upTo) => wire.call(() => catalog.settle(upTo)),
    lookup: (names, seen) => wire.call(() => catalog.lookup(names, seen)),
    stocks: (request, seen) => wire.call(() => catalog.stocks(request, seen)),
    ordersAfter: (afterId, limit) => wire.call(() => catalog.ordersAfter(afterId, limit)),
    register: (seen, last) => wire.call(() => catalog.register(seen, last)),
    acquire: (request) => wire.call(() => catalog.acquire(request)),
    tail: (handlers) => wire.connect((far) => catalog.tail(far), handlers),
  };
}

export interface OrderNode {
  readonly id: number;
  readonly log: OrderLog;
  /** Its connection to the catalog. */
  readonly catalog: CatalogApi;
  readonly catalogWire: Wire;
  /** Carries the calls and streams of the other replicas to it. */
  readonly incoming: Wire;
  /** Carries its streams to the other replicas. */
  readonly outgoing: Wire;
  replica: Replica;
  readonly fatal: unknown[];
}

export interface OrderClusterOptions {
  readonly ids?: readonly number[];
  readonly minCopies?: number;
  readonly stocks?: readonly Stock[];
  readonly restockIntervalMs?: number;
}

export class OrderCluster {
  readonly clock: ManualClock;
  readonly catalog: Catalog;
  readonly #nodes: ReadonlyMap<number, OrderNode>;
  readonly #options: OrderClusterOptions;

  private constructor(clock: ManualClock, catalog: Catalog, options: OrderClusterOptions) {
    this.clock = clock;
    this.catalog = catalog;
    this.#options = options;
    this.#nodes = new Map((options.ids ?? [1, 2, 3]).map((id) => [id, this.#createNode(id)]));
  }

  /** Starts a cluster without a leader, in which the catalog already settles at once. */
  static async start(clock: ManualClock, options: OrderClusterOptions = {}): Promise<OrderCluster> {
    const ledger = memoryLedger(options.stocks ?? [stockOf("GameStart", { quantity: 1_000_000 })]);
    const catalog = await Catalog.start({ ledger, clock, logger: silentLogger, leaseMs });
    await clock.advance(2 * leaseMs);
    const cluster = new OrderCluster(clock, catalog, options);
    for (const { replica } of cluster.#nodes.values()) replica.start();
    await clock.flush();
    return cluster;
  }

  node(id: number): OrderNode {
    const node = this.#nodes.get(id);
    if (!node) throw new Error(`the replica must be one of ${[...this.#nodes.keys()].join(", ")} (got ${id})`);
    return node;
  }

  /** Does what a front-end does: asks this replica to lead, and sends the new leader to the others. */
  async lead(id: number): Promise<number> {
    const { term: afterTerm } = await this.catalog.register();
    const leading = this.node(id).replica.lead(afterTerm);
    await this.clock.flush();
    const { term } = await leading;
    for (const node of this.#nodes.values()) {
      if (node.incoming.isUp) await node.replica.setLeader({ term, leader: id });
    }
    await this.clock.advance(200);
    return term;
  }

  /** Sends trades to one replica. Resolves with their outcomes. */
  async trade(id: number, trades: readonly Trade[]) {
    const traded = this.node(id).replica.trade(asking(...trades));
    await this.clock.flush();
    return unpackOutcomes((await traded).outcomes);
  }

  /** Simulates `kill -9`: cuts every connection of the replica. */
  async kill(id: number): Promise<void> {
    const { incoming, outgoing, catalogWire } = this.node(id);
    for (const wire of [incoming, outgoing, catalogWire]) wire.cut();
    await this.clock.flush();
  }

  /** Starts a new process on the same database. */
  async restart(id: number): Promise<void> {
    const node = this.node(id);
    for (const wire of [node.incoming, node.outgoing, node.catalogWire]) wire.mend();
    node.replica = this.#createReplica(node);
    node.replica.start();
    await this.clock.flush();
  }

  async ledger(): Promise<Order[]> {
    return this.catalog.ordersAfter(0, 10_000);
  }

  async orders(id: number): Promise<Order[]> {
    return this.node(id).log.after(0, 100_000);
  }

  #createNode(id: number): OrderNode {
    const catalogWire = new Wire(this.clock);
    const parts = {
      id,
      log: createSqliteOrderLog(openOrdersInMemory()),
      catalog: catalogOver(catalogWire, this.catalog),
      catalogWire,
      incoming: new Wire(this.clock),
      outgoing: new Wire(this.clock),
      fatal: [],
    };
    return { ...parts, replica: this.#createReplica(parts) };
  }

  #createReplica(node: Omit<OrderNode, "replica">): Replica {
    return new Replica({
      replicaId: node.id,
      catalog: node.catalog,
      log: node.log,
      clock: this.clock,
      random: () => 0,
      logger: silentLogger,
      minCopies: this.#options.minCopies ?? 1,
      rpcTimeoutMs: 3000,
      restockIntervalMs: this.#options.restockIntervalMs ?? 0,
      restockQuantity: 100,
      peer: (id) => {
        const peer = this.#nodes.get(id);
        if (!peer) return undefined;
        return {
          follow: (handlers) =>
            node.outgoing.connect((near) => peer.incoming.connect((far) => peer.replica.follow(far), near), handlers),
          lead: (afterTerm) => node.outgoing.call(() => peer.incoming.call(() => peer.replica.lead(afterTerm))),
          setLeader: (leader) => node.outgoing.call(() => peer.incoming.call(() => peer.replica.setLeader(leader))),
        };
      },
      fatal: (error) => node.fatal.push(error),
    });
  }
}
