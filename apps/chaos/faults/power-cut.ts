/**
 * Stands in for a power cut, which a process can't cause: kills processes, and takes from each replica's file the orders
 * that no sync may have written yet, as if the file had fallen back to an earlier commit. The ledger loses nothing, because
 * its commits wait for the disk.
 */

import { openOrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import type { Fault, Scene } from "./fault.ts";
import type { FaultName } from "./names.ts";
import { choose, kill, replicaNames, start } from "./targets.ts";

/** A replica syncs ten times a second; this is what it stores in that time at most, at a campaign's rate. */
const lostOrdersMax = 200;

function cutting(name: FaultName, does: string, targets: (scene: Scene) => string[]): Fault {
  return {
    name,
    does,
    deletes: true,
    holdMs: [
      [0, 50],
      [200, 1000],
    ],
    async inflict(scene) {
      const names = targets(scene);
      await scene.alone(names, async () => {
        await kill(scene, names);
        for (const name of names.filter((name) => replicaNames(scene).includes(name))) {
          const id = Number(name.replace("order-", ""));
          // Another number for each replica, drawn from the plan's one.
          const orders = Math.floor(((scene.choice * 1000 * id) % 1) * lostOrdersMax);
          takeOrders(scene.cluster.folderOf(name), id, orders);
        }
        await scene.hold();
        await start(scene, names);
      });
    },
  };
}

/** Takes this many of the last orders from the file of a replica that doesn't run, as a power cut would. */
export function takeOrders(folder: string, replicaId: number, orders: number): void {
  const database = openOrderDatabase(folder, replicaId);
  database.client.exec(`DELETE FROM orders WHERE id > (SELECT MAX(id) FROM orders) - ${orders};
    UPDATE replica SET boot_id = 'another', synced = 0`);
  database.close();
}

export const powerCuts: readonly Fault[] = [
  cutting("cut-power-of-replica", "kills a replica, whose file loses its last orders as in a power cut", (scene) => [
    choose(replicaNames(scene), scene),
  ]),
  cutting(
    "cut-power-of-everything",
    "kills every process, and the replicas' files lose their last orders as in a power cut",
    ({ cluster }) => cluster.names,
  ),
];
