/** How fast does a replica with an empty database catch up, while nobody trades? */

import { rmSync } from "node:fs";
import { Cluster } from "@stock-bazaar/cluster/cluster";
import { eventually } from "@stock-bazaar/cluster/wait";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { migrateFile } from "@stock-bazaar/sqlite/migrations";
import { fill } from "./filled.ts";

export interface CatchUpOptions {
  /** Sizes of the ledger in orders, ascending. */
  readonly sizes: readonly number[];
  readonly rounds: number;
}

export interface CatchUpRow {
  readonly orders: number;
  /** Orders per second, for each round. */
  readonly perSecond: readonly number[];
}

/** The replica that loses its database. It is never the leader, because the highest id leads. */
const emptied = 1;
const timeoutMs = 600_000;

export async function measureCatchUp(
  { sizes, rounds }: CatchUpOptions,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<CatchUpRow[]> {
  const rows: CatchUpRow[] = [];
  for (const orders of sizes) {
    const cluster = await Cluster.create();
    try {
      progress(`${orders} orders: filling the databases`);
      await fill(cluster, orders);
      await cluster.startInOrder();
      const perSecond: number[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        perSecond.push(await catchUp(cluster, signal));
        progress(`round ${round}/${rounds}  ${orders} orders: caught up with ${Math.round(perSecond.at(-1) ?? 0)}/s`);
      }
      rows.push({ orders, perSecond });
    } finally {
      await cluster.dispose();
    }
  }
  return rows;
}

/** Returns orders per second, from the replica's own log. */
async function catchUp(cluster: Cluster, signal: AbortSignal): Promise<number> {
  const service = cluster.order(emptied);
  await service.stop();
  const file = orderFile(cluster.folderOf(service.name), emptied);
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${file}${suffix}`, { force: true });
  migrateFile(file, "orders");
  service.start();
  const logged = (pattern: RegExp) => service.newLines.find((line) => pattern.test(line));
  const caughtUp = await eventually("the replica has caught up", () => logged(/"caught up"/), { signal, timeoutMs });
  const began = logged(/"listening"/) ?? "{}";
  const { orders, time } = JSON.parse(caughtUp) as { orders: number; time: string };
  const { time: beganAt } = JSON.parse(began) as { time: string };
  return orders / ((Date.parse(time) - Date.parse(beganAt)) / 1000);
}
