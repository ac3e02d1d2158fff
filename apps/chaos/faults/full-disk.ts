/**
 * A disk that is full. A replica that can't write must end itself, and comes back when there is room. The catalog
 * refuses and goes on, as nothing was done.
 *
 * Where no small disk can be mounted, the service is started again with a limit on the size of its files. To SQLite that
 * is a disk that fails, not one that is full: then the catalog ends itself too.
 */

import { statSync } from "node:fs";
import type { SmallDisk } from "@stock-bazaar/cluster/small-disk";
import { eventually } from "@stock-bazaar/cluster/wait";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import type { Fault, Scene } from "./fault.ts";
import { endedByItself, kill, readRegister, start } from "./targets.ts";

/** Trades go on, or come back within this time, so there is something to write. */
const timeoutMs = 20_000;
/** Room for the first writes of a start. */
const spareBytes = 64 * 1024;

export const fillReplicaDisk: Fault = {
  name: "fill-replica-disk",
  does: "fills up a replica's disk: it ends itself, and comes back when there is room",
  needsSmallDisk: "replica",
  holdMs: [[0, 500]],
  async inflict(scene) {
    const { cluster } = scene;
    const [id, folder] = [...cluster.replicaFolders].find(([, folder]) => folder !== cluster.dataDir) ?? [];
    if (id === undefined || folder === undefined) throw new Error("no replica has a disk of its own");
    const name = `order-${id}`;
    await scene.alone([name], async () => {
      if (cluster.smallDisk) {
        const orders = openOrderDatabase(folder, id);
        emptyWal(orders);
        orders.close();
        await whileFull(cluster.smallDisk, () => endsItself(scene, name).then(scene.hold));
      } else {
        await startLimited(scene, name, orderFile(folder, id));
        await endsItself(scene, name);
        await scene.hold();
      }
      start(scene, [name]);
    });
  },
};

export const fillCatalogDisk: Fault = {
  name: "fill-catalog-disk",
  does: "fills up the catalog's disk: it refuses to trade, and goes on when there is room",
  needsSmallDisk: "catalog",
  holdMs: [[200, 1200]],
  async inflict(scene) {
    const { cluster } = scene;
    await scene.alone(["catalog"], async () => {
      const { smallDisk } = cluster;
      if (!smallDisk) {
        await startLimited(scene, "catalog", catalogFile(cluster.catalogFolder));
        await endsItself(scene, "catalog");
        await scene.hold();
        start(scene, ["catalog"]);
        return;
      }
      // Another fault may have started it a moment ago. On a full disk it would rightly refuse to.
      const service = cluster.service("catalog");
      const isUp = () => service.newLines.some((line) => line.includes("listening"));
      await eventually("the catalog listens", isUp, { timeoutMs, signal: scene.signal });
      const catalog = openCatalogDatabase(cluster.catalogFolder);
      emptyWal(catalog);
      catalog.close();
      const [before, after] = await whileFull(smallDisk, async () => {
        const register = readRegister(cluster);
        await scene.hold();
        return [register, readRegister(cluster)] as const;
      });
      if (after.head !== before.head || after.term !== before.term) throw new Error("the catalog's disk wasn't full");
      if (service.exit) {
        scene.found(endedByItself("catalog", service.exit));
        start(scene, ["catalog"]);
      }
    });
  },
};

async function whileFull<Result>(disk: SmallDisk, action: () => Promise<Result>): Promise<Result> {
  disk.fill();
  try {
    return await action();
  } finally {
    disk.free();
  }
}

/** SQLite writes over a WAL that is long already, which needs no room on a full disk; an empty one has to grow. */
function emptyWal({ client }: { client: { pragma(text: string): unknown } }): void {
  client.pragma("wal_checkpoint(TRUNCATE)");
}

async function startLimited(scene: Scene, name: string, file: string): Promise<void> {
  await kill(scene, [name]);
  const sizes = [file, `${file}-wal`, `${file}-shm`].map(
    (part) => statSync(part, { throwIfNoEntry: false })?.size ?? 0,
  );
  scene.cluster.service(name).start({ fileBytesMax: Math.max(...sizes) + spareBytes });
}

async function endsItself({ cluster, signal, found }: Scene, name: string): Promise<void> {
  const service = cluster.service(name);
  try {
    await eventually(`${name} ends itself`, () => !service.isRunning, { timeoutMs, signal });
  } catch (error) {
    signal.throwIfAborted();
    found({ promise: "I8", harm: "other", text: `${name} could not write, and went on: ${String(error)}` });
    await service.kill();
  }
}
