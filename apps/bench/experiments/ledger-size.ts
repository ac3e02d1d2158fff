/**
 * What do old orders cost? For databases of growing size, this measures how long a replica takes to start, the trades
 * per second, the memory of the processes, and how fast an empty replica catches up.
 */

import { rmSync } from "node:fs";
import { Cluster } from "@stock-bazaar/cluster/cluster";
import { eventually } from "@stock-bazaar/cluster/wait";
import { migrateFile } from "@stock-bazaar/sqlite/migrations";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { fill } from "./filled.ts";
import { measureTrades, type TradesOptions } from "./measured-trades.ts";
import { memoryMibOf } from "./memory.ts";

export interface LedgerSizeOptions extends TradesOptions {
  /** Sizes of the ledger in orders, ascending. */
  readonly sizes: readonly number[];
}

export interface LedgerSizeRow {
  readonly orders: number;
  /** From the start of the process until it listens. */
  readonly replicaStartMs: number;
  readonly tradesPerSecond: number;
  readonly p99Ms: number;
  readonly memoryMib: Readonly<Record<string, number>>;
  /** Orders per second with which a replica with an empty database catches up. */
  readonly catchUpPerSecond: number;
}

/** The replica that loses its database and refills it. It is never the leader, because the highest id leads. */
const emptied = 1;

export async function measureLedgerSizes(
  { sizes, ...options }: LedgerSizeOptions,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<LedgerSizeRow[]> {
  const rows: LedgerSizeRow[] = [];
  for (const orders of sizes) {
    const cluster = await Cluster.create();
    try {
      progress(`${orders} orders: filling the databases`);
      await fill(cluster, orders);
      await cluster.startInOrder();
      const { requestsPerSecond, p99Ms } = await measureTrades(cluster, options, signal);
      const memoryMib = Object.fromEntries(
        cluster.services.flatMap(({ name, pid }) => {
          const mib = pid === undefined ? undefined : memoryMibOf(pid);
          return mib === undefined ? [] : [[name, mib]];
        }),
      );
      const replicaStartMs = await restartMs(cluster, signal);
      const catchUpPerSecond = await catchUp(cluster, signal);
      rows.push({ orders, replicaStartMs, tradesPerSecond: requestsPerSecond, p99Ms, memoryMib, catchUpPerSecond });
      progress(`${orders} orders: ${Math.round(requestsPerSecond)} trades/s`);
    } finally {
      await cluster.dispose();
    }
  }
  return rows;
}

async function restartMs(cluster: Cluster, signal: AbortSignal): Promise<number> {
  const service = cluster.order(emptied);
  await service.stop();
  const startMs = performance.now();
  service.start();
  await eventually("the replica listens", () => service.newLines.some((line) => line.includes("listening")), {
    signal,
    pollMs: 1,
  });
  return performance.now() - startMs;
}

async function catchUp(cluster: Cluster, signal: AbortSignal): Promise<number> {
  const service = cluster.order(emptied);
  await service.stop();
  const file = orderFile(cluster.folderOf(service.name), emptied);
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${file}${suffix}`, { force: true });
  migrateFile(file, "orders");
  service.start();
  const logged = (pattern: RegExp) => service.newLines.find((line) => pattern.test(line));
  const caughtUp = await eventually("the replica has caught up", () => logged(/"caught up"/), {
    signal,
    timeoutMs: 600_000,
  });
  const began = logged(/"listening"/) ?? "{}";
  const { orders, time } = JSON.parse(caughtUp) as { orders: number; time: string };
  const { time: beganAt } = JSON.parse(began) as { time: string };
  return orders / ((Date.parse(time) - Date.parse(beganAt)) / 1000);
}
