/** Deletes databases, and kills `bazaar migrate` in the middle of its work. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { catalogFile } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import type { Fault, Scene } from "./fault.ts";
import { sessionsOf } from "./on-server.ts";
import { choose, kill, replicaNames, start } from "./targets.ts";

/** The range in which a migration is killed, from the creation of its file; longer than a migration takes. */
const migrationMs = 25;
const timeoutMs = 20_000;

export const loseReplicaDatabase: Fault = {
  name: "lose-replica-database",
  does: "deletes a replica's database; it is created again, and the replica refills it",
  deletes: true,
  holdMs: [[0, 500]],
  inflict: (scene) => replaceDatabase(scene, (migration) => finish(migration, scene)),
};

export const killMigration: Fault = {
  name: "kill-migration",
  does: "deletes a replica's database and kills its migration; the next one succeeds",
  deletes: true,
  holdMs: [[0, 300]],
  inflict: (scene) =>
    replaceDatabase(scene, async (migration, file) => {
      await killHalfway(migration, () => existsSync(file), scene);
      await finish(migration, scene);
    }),
};

export const killFirstMigration: Fault = {
  name: "kill-first-migration",
  does: "kills the first migration of an empty folder, and of an empty database; the next one succeeds",
  holdMs: [[0, 0]],
  async inflict(scene) {
    const { cluster, server, signal } = scene;
    const folder = mkdtempSync(join(cluster.dataDir, "first-"));
    const ledgerUrl =
      server && (await eventually("the server makes a database", server.newDatabase, { timeoutMs, signal }));
    const ledger = { dataDir: folder, ledgerUrl };
    const migration = migrationOf(scene, folder, [], ledgerUrl === undefined ? {} : { LEDGER_URL: ledgerUrl });
    const ledgerBegins =
      ledgerUrl === undefined
        ? () => existsSync(catalogFile(folder))
        : async () => (await sessionsOf(ledgerUrl)).length > 0;
    const begins = [ledgerBegins, ...cluster.replicaIds.map((id) => () => existsSync(orderFile(folder, id)))];
    await killHalfway(migration, choose(begins, scene), scene);
    await finish(migration, scene);
    // These throw if a database is only half migrated.
    await chosenLedgerStore(ledger).read((view) => view.register());
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
    await start(scene, [name]);
  });
}

/** `bazaar migrate`, as a person would run it. */
function migrationOf({ cluster }: Scene, folder: string, options: readonly string[] = [], more = {}): Service {
  return new Service("migrate", "apps/cli/main.ts", {
    args: ["migrate", ...options],
    environment: { ...cluster.environment, DATA_DIR: folder, ...more },
  });
}

async function killHalfway(
  migration: Service,
  begins: () => boolean | Promise<boolean>,
  { choice, signal }: Scene,
): Promise<void> {
  migration.start();
  const hasBegun = async () => !migration.isRunning || (await begins());
  try {
    await eventually("a migration begins", hasBegun, { timeoutMs, signal, pollMs: 1 });
    await Bun.sleep(choice * migrationMs);
  } finally {
    await migration.kill();
  }
}

/** Runs it to its end; again if another fault had ended the ledger's server. */
async function finish(migration: Service, { server, signal }: Scene): Promise<void> {
  const succeeds = async () => {
    migration.start();
    const { code } = await migration.ended();
    if (code !== 0) throw new Error(`migrate must exit with 0 (got ${code}): ${migration.newLines.join(" ")}`);
    return true;
  };
  if (server === undefined) await succeeds();
  else await eventually("a migration succeeds", succeeds, { timeoutMs, signal });
}
