/**
 * Fills a disk. A replica that can't write must end, and is started again when there is room. The catalog refuses
 * trades and keeps running, because a failed write changes nothing.
 *
 * Where no small disk can be mounted, the service is restarted with a limit on the size of its files. To SQLite that is
 * a failing disk, not a full one, so the catalog ends too.
 */

import { statSync } from "node:fs";
import type { SmallDisk } from "@stock-bazaar/cluster/small-disk";
import { eventually } from "@stock-bazaar/cluster/wait";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import type { Fault, Scene } from "./fault.ts";
import { endedByItself, kill, readRegister, start } from "./targets.ts";

/** Trades continue, or resume within this time, so there is something to write. */
const timeoutMs = 20_000;
/** Room for the first writes of a start. */
const spareBytes = 64 * 1024;

export const fillReplicaDisk: Fault = {
  name: "fill-replica-disk",
  does: "fills a replica's disk, so that the replica ends, and starts it again when there is room",
  needsSmallDisk: "replica",
  holdMs: [[0, 500]],
  async inflict(scene) {
    const { cluster } = scene;
    const [id, folder] = [...cluster.replicaFolders].find(([, folder]) => folder !== cluster.dataDir) ?? [];
    if (id === undefined || folder === undefined) throw new Error("a replica must have a small disk (none has)");
    const name = `order-${id}`;
    await scene.alone([name], async () => {
      if (cluster.smallDisk) {
        await untilListening(scene, name);
        const orders = openOrderDatabase(folder, id);
        emptyWal(orders);
        orders.close();
        await whileFull(cluster.smallDisk, () => mustEnd(scene, name).then(scene.hold));
      } else {
        await startLimited(scene, name, orderFile(folder, id));
        await mustEnd(scene, name);
        await scene.hold();
      }
      await start(scene, [name]);
    });
  },
};

export const fillCatalogDisk: Fault = {
  name: "fill-catalog-disk",
  does: "fills the catalog's disk: the catalog refuses trades until there is room",
  needsSmallDisk: "catalog",
  needsCatalogFile: true,
  holdMs: [[200, 1200]],
  async inflict(scene) {
    const { cluster } = scene;
    await scene.alone(["catalog"], async () => {
      const { smallDisk } = cluster;
      if (!smallDisk) {
        await startLimited(scene, "catalog", catalogFile(cluster.catalogFolder));
        await mustEnd(scene, "catalog");
        await scene.hold();
        await start(scene, ["catalog"]);
        return;
      }
      const service = cluster.service("catalog");
      await untilListening(scene, "catalog");
      const catalog = openCatalogDatabase(cluster.catalogFolder);
      emptyWal(catalog);
      catalog.close();
      const [before, after] = await whileFull(smallDisk, async () => {
        const register = await readRegister(cluster);
        await scene.hold();
        return [register, await readRegister(cluster)] as const;
      });
      if (after.head !== before.head || after.term !== before.term)
        throw new Error("a full disk must stop the catalog's writes (its register changed)");
      if (service.exit) {
        scene.found(endedByItself("catalog", service.exit));
        await start(scene, ["catalog"]);
      }
    });
  },
};

/** Another fault may have just started the service. On a full disk it would rightly wait for room. */
async function untilListening({ cluster, signal }: Scene, name: string): Promise<void> {
  const isUp = () => cluster.service(name).newLines.some((line) => line.includes("listening"));
  await eventually(`${name} listens`, isUp, { timeoutMs, signal });
}

async function whileFull<Result>(disk: SmallDisk, action: () => Promise<Result>): Promise<Result> {
  disk.fill();
  try {
    return await action();
  } finally {
    disk.free();
  }
}

/** Empties the WAL, so that the next write has to grow it: SQLite can overwrite a long WAL even on a full disk. */
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

async function mustEnd({ cluster, signal, found }: Scene, name: string): Promise<void> {
  const service = cluster.service(name);
  try {
    await eventually(`${name} has ended`, () => !service.isRunning, { timeoutMs, signal });
  } catch (error) {
    signal.throwIfAborted();
    found({ promise: "I8", harm: "other", text: `${name} must end when it can't write: ${String(error)}` });
    await service.kill();
  }
}
