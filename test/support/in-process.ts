/**
 * The production services in one process: catalog, order replicas and front-end, on SQLite in memory, connected directly
 * instead of by gRPC. For tests of the HTTP layer.
 */

import { Catalog } from "@stock-bazaar/catalog/catalog";
import { createSqliteLedger } from "@stock-bazaar/ledger/sqlite/sqlite-ledger";
import { stocks } from "@stock-bazaar/ledger/sqlite/tables";
import { openCatalogInMemory, openOrdersInMemory } from "./in-memory.ts";
import { queryCatalog } from "@stock-bazaar/ledger/sqlite/query";
import { LiveBazaar } from "@stock-bazaar/front-end/live-bazaar";
import type { OrderLog } from "@stock-bazaar/order-log/order-log";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";
import { Replica } from "@stock-bazaar/order/replica";
import { systemClock } from "@stock-bazaar/shared/clock";
import { silentLogger } from "@stock-bazaar/process/log";

/** Longer than any pause of a busy machine: tests of the cache need a lease that doesn't expire. */
const leaseMs = 60_000;

export interface InProcessOptions {
  readonly stocks: readonly { name: string; priceCents: number; quantity: number }[];
  readonly replicaCount?: number;
  readonly cacheSize?: number;
}

export interface InProcessBazaar {
  readonly bazaar: LiveBazaar;
  close(): Promise<void>;
}

/** Starts the bazaar. Resolves when it has a leader with live followers, and the cache has a lease. */
export async function createInProcessBazaar(options: InProcessOptions): Promise<InProcessBazaar> {
  const database = openCatalogInMemory();
  queryCatalog(database)
    .insert(stocks)
    .values(options.stocks.map((stock) => ({ ...stock, volume: 0, rev: 0 })))
    .run();
  const common = { clock: systemClock, random: Math.random, logger: silentLogger };
  const ledger = createSqliteLedger(database);
  // No front-end holds a lease on a new ledger. Without this, the catalog would settle nothing for one lease.
  await ledger.setLeases({ leaseMs, endedCleanly: true });
  const catalog = await Catalog.start({ ...common, ledger, leaseMs });

  const replicas = new Map<number, Replica>();
  const logs: OrderLog[] = [];
  for (let id = 1; id <= (options.replicaCount ?? 3); id += 1) {
    const log = createSqliteOrderLog(openOrdersInMemory());
    logs.push(log);
    const replica = new Replica({
      ...common,
      replicaId: id,
      catalog,
      log,
      minCopies: 1,
      rpcTimeoutMs: 3000,
      restockIntervalMs: 0,
      restockQuantity: 100,
      peer: (other) => replicas.get(other),
      fatal: (error) => {
        throw error;
      },
    });
    replicas.set(id, replica);
  }

  const bazaar = new LiveBazaar({
    ...common,
    catalog,
    replicas,
    config: {
      frontEnd: { host: "127.0.0.1", port: 8080 },
      frontEndDialect: "bazaar",
      cacheSize: options.cacheSize ?? 1000,
      cacheTtlMs: 0,
      requestTimeoutMs: 5000,
    },
    newId: () => Bun.randomUUIDv7(),
  });
  for (const replica of replicas.values()) replica.start();
  bazaar.start();
  for (;;) {
    const { leader, replicas: states, cache } = await bazaar.cluster();
    const followers = states.find(({ id }) => id === leader)?.status?.liveFollowers ?? [];
    if (followers.length === replicas.size - 1 && leader > 0 && (cache.leased || cache.capacity === 0)) break;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }

  return {
    bazaar,
    async close() {
      await bazaar.stop();
      for (const replica of replicas.values()) await replica.stop();
      for (const log of logs) await log.close();
      await catalog.stop();
    },
  };
}
