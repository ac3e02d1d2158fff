/**
 * Starts the catalog on an older copy of its database, like one from a backup, and puts the newest files back later. In
 * between, no trade may receive the number of an acknowledged order, and no lookup a quantity from before an
 * acknowledged change.
 */

import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "@stock-bazaar/cluster/cluster";
import { eventually } from "@stock-bazaar/cluster/wait";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { numbersGivenAgain } from "../checks/given-again.ts";
import type { Fault, Scene } from "./fault.ts";
import { kill, start } from "./targets.ts";

/** Far more than needed once the other faults are mended. */
const timeoutMs = 20_000;
/** How many orders to accept after the copy: the old catalog would reuse their numbers. */
const ordersSinceCopy = 50;

export const oldCatalog: Fault = {
  name: "old-catalog",
  does: "runs the catalog on an older copy of its database until the newest one is put back",
  needsCatalogApart: true,
  needsCatalogFile: true,
  holdMs: [
    [200, 1000],
    [1500, 3000],
  ],
  async inflict(scene) {
    const { cluster, traffic, signal } = scene;
    await scene.alone(["catalog"], async () => {
      // A folder on the catalog's disk, because a file can't be renamed across file systems.
      const aside = mkdtempSync(join(cluster.catalogFolder, "aside-"));
      try {
        const copy = join(aside, "old.db");
        copyCatalog(cluster, copy);
        await traffic.more(ordersSinceCopy, { timeoutMs, signal });
        await kill(scene, ["catalog"]);
        const before = traffic.accepted;
        await whileOld(scene, copy, join(aside, "newest.db"));
        const since = traffic.accepted.slice(before.length);
        for (const violation of await numbersGivenAgain(cluster, before, since)) scene.found(violation);
      } finally {
        rmSync(aside, { recursive: true });
      }
    });
  },
};

/** Runs the catalog on the old copy. It must have ended before; when this resolves, it runs on its newest database. */
async function whileOld(scene: Scene, old: string, newest: string): Promise<void> {
  const { cluster, signal } = scene;
  const service = cluster.service("catalog");
  const file = catalogFile(cluster.catalogFolder);
  // No await between the two: other faults read the register from the file at this path.
  moveDatabase(file, newest);
  copyFileSync(old, file);
  try {
    service.start();
    const isUp = () => service.exit !== undefined || service.newLines.some((line) => line.includes("listening"));
    await eventually("the old catalog listens or refuses to start", isUp, { timeoutMs, signal });
    await scene.hold();
  } finally {
    await service.kill();
    removeDatabase(file);
    moveDatabase(newest, file);
    start(scene, ["catalog"]);
  }
}

/** Makes a consistent copy, even while the catalog writes. */
function copyCatalog(cluster: Cluster, copy: string): void {
  const catalog = openCatalogDatabase(cluster.catalogFolder, "read");
  try {
    catalog.client.prepare("VACUUM INTO ?").run(copy);
  } finally {
    catalog.close();
  }
}

const parts = ["", "-wal", "-shm"] as const;

function moveDatabase(from: string, to: string): void {
  for (const part of parts) if (existsSync(`${from}${part}`)) renameSync(`${from}${part}`, `${to}${part}`);
}

function removeDatabase(file: string): void {
  for (const part of parts) rmSync(`${file}${part}`, { force: true });
}
