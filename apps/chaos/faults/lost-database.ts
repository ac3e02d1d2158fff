/** Deletes databases, and kills `bazaar migrate` in the middle of its work. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import type { Fault, Scene } from "./fault.ts";
import { choose, kill, replicaNames, start } from "./targets.ts";

/** The range in which a migration is killed, from the creation of its file; longer than a migration takes. */
const migrationMs = 25;
const timeoutMs = 20_000;

export const loseReplicaDatabase: Fault = {
  name: "lose-replica-database",
  does: "deletes a replica's database; it is created again, and the replica refills it",
  deletes: true,
  holdMs: [[0, 500]],
  inflict: (scene) => replaceDatabase(scene, (migration) => finish(migration)),
};

export const killMigration: Fault = {
  name: "kill-migration",
  does: "deletes a replica's database and kills its migration; the next one succeeds",
  deletes: true,
  holdMs: [[0, 300]],
  inflict: (scene) =>
    replaceDatabase(scene, async (migration, file) => {
      await killHalfway(migration, file, scene);
      await finish(migration);
    }),
};

export const killFirstMigration: Fault = {
  name: "kill-first-migration",
  does: "kills the first migration of an empty folder; the next one succeeds",
  needsCatalogFile: true,
  holdMs: [[0, 0]],
  async inflict(scene) {
    const { cluster } = scene;
    const folder = mkdtempSync(join(cluster.dataDir, "first-"));
    const migration = migrationOf(scene, folder);
    const files = [catalogFile(folder), ...cluster.replicaIds.map((id) => orderFile(folder, id))];
    await killHalfway(migration, choose(files, scene), scene);
    await finish(migration);
    // These throw if a database is only half migrated.
    openCatalogDatabase(folder).close();
    for (const id of cluster.replicaIds) openOrderDatabase(folder, id).close();
    rmSync(folder, { recursive: true });
  },
};

/** Kills a replica, deletes its database, creates it again, and starts the replica. */
async function replaceDatabase(
  scene: Scene,
  migrate: (migration: Service, file: string) => Promise<void>,
): Promise<void> {
  const name = choose(replicaNames(scene), scene);
  const folder = scene.cluster.folderOf(name);
  const replica = name.replace("order-", "");
  const file = join(folder, `${name}.db`);
  await scene.alone([name], async () => {
    await kill(scene, [name]);
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${file}${suffix}`, { force: true });
    await scene.hold();
    await migrate(migrationOf(scene, folder, ["--replica", replica]), file);
    start(scene, [name]);
  });
}

/** `bazaar migrate`, as a person would run it. */
function migrationOf({ cluster }: Scene, folder: string, options: readonly string[] = []): Service {
  return new Service("migrate", "apps/cli/main.ts", {
    args: ["migrate", ...options],
    environment: { ...cluster.environment, DATA_DIR: folder },
  });
}

async function killHalfway(migration: Service, file: string, { choice, signal }: Scene): Promise<void> {
  migration.start();
  const hasBegun = () => existsSync(file) || !migration.isRunning;
  try {
    await eventually(`a migration creates ${file}`, hasBegun, { timeoutMs, signal, pollMs: 1 });
    await Bun.sleep(choice * migrationMs);
  } finally {
    await migration.kill();
  }
}

async function finish(migration: Service): Promise<void> {
  migration.start();
  const { code } = await migration.ended();
  if (code !== 0) throw new Error(`migrate must exit with 0 (got ${code}): ${migration.newLines.join(" ")}`);
}
