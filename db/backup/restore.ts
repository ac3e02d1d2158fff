/**
 * Restores a backup, or brings up a ledger that another tool has restored.
 *
 * The replicas may hold orders that were acknowledged after the backup was made, so a restored ledger is brought up from them
 * before it takes its place. It begins a new life, as a rebuilt one does: it may be shorter than the lost ledger, by orders that
 * had reached no replica, and running this command is a person's decision to go on without them.
 */

import { copyFileSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { ordersOf } from "@stock-bazaar/ledger/compare";
import type { LedgerStore, Unlock } from "@stock-bazaar/ledger/store";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { isLoopback } from "@stock-bazaar/process/addresses";
import { advice } from "@stock-bazaar/process/advice";
import { isSameOrder } from "@stock-bazaar/shared/domain";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { makeFolderOf } from "@stock-bazaar/sqlite/files";
import { keptStocksFile } from "../kept-stocks.ts";
import { begunRestore } from "../recovery/begun-restore.ts";
import { migratePresentReplicas } from "../recovery/history.ts";
import { whileAllLocked } from "../recovery/lock-all.ts";
import { isBroken } from "../recovery/rebuild-catalog.ts";
import type { ReplicaService } from "../recovery/replica-services.ts";
import type { Databases } from "../recovery/replicas-here.ts";
import { verify } from "../recovery/verify.ts";
import { bringUp, type BroughtUp, laterStocks } from "./bring-up.ts";
import { type FollowedReplicas, replicasOfFiles, replicasOfServices } from "./followed-replicas.ts";
import { type Manifest, readManifest, requireIntact } from "./manifest.ts";
import { begin, finish, makeWorkshop, type PutBack } from "./put-back.ts";
import { RestoreError } from "./restore-error.ts";

export interface RestoreOptions {
  /** A CSV file with stocks that were added since the backup; default: the copy of the initial stocks in DATA_DIR. */
  readonly stocksFile?: string | undefined;
  /** The replicas' running services; without them the replicas are the files in DATA_DIR. */
  readonly services?: readonly ReplicaService[] | undefined;
  /** Check everything, and change nothing. */
  readonly dryRun?: boolean;
  readonly at: Date;
}

export interface Restored extends Partial<BroughtUp>, PutBack {
  /** The ledger's name; `undefined` if only a replica was put back. */
  readonly ledger: string | undefined;
  /** Missing files of replicas: orders that only they held are not in the ledger. */
  readonly missing: readonly string[];
  /** Replicas that may lack their last orders, for example after a power cut. */
  readonly notWhole: readonly string[];
}

/** Finishes a restore that was interrupted. `undefined` if none was. */
export async function finishBegunRestore(databases: Databases): Promise<PutBack | undefined> {
  const { dataDir } = databases;
  if (begunRestore(dataDir) === undefined) return undefined;
  return whileAllLocked(databases, running, async () => {
    // Another one may have finished it meanwhile.
    const begun = begunRestore(dataDir);
    return begun === undefined ? undefined : finish(begun, dataDir);
  });
}

/**
 * Restores the backup in this folder. Rejects with a BackupError if it is damaged, with a RestoreError if a service runs, if
 * the replicas contradict it, or if an order would be lost that is here.
 */
export async function restoreBackup(databases: Databases, folder: string, options: RestoreOptions): Promise<Restored> {
  const manifest = readManifest(folder);
  const { files, ledger } = manifest;
  const store = chosenLedgerStore(databases);
  makeFolderOf(join(databases.dataDir, "catalog.db"));
  if (ledger === undefined) {
    return whileAllLocked(databases, running, () => restoreReplica(databases, folder, manifest, options));
  }
  if (databases.ledgerUrl !== undefined) {
    throw new RestoreError(
      `${folder} holds a catalog.db, but LEDGER_URL names ${store.name}: restore that with the tools of its server, or unset LEDGER_URL`,
    );
  }
  return withReplicas(databases, options, async (replicas) => {
    const workshop = await prepare(databases.dataDir, folder, files);
    try {
      const stocks = await laterStocks({ dataDir: workshop }, databases.dataDir, options.stocksFile);
      await requireNothingLost(store, { dataDir: workshop }, replicas);
      const up = await bringUp({ dataDir: workshop }, { replicas, stocks, dryRun: false });
      dropReplica(workshop, manifest, databases, options);
      await requireSound(workshop);
      return { ...report(store, replicas, up), ...put(workshop, databases.dataDir, options) };
    } finally {
      rmSync(workshop, { recursive: true, force: true });
    }
  });
}

/** Brings up the ledger that is in place, which may be an old copy. Rejects with a RestoreError as `restoreBackup` does. */
export async function bringUpInPlace(databases: Databases, options: RestoreOptions): Promise<Restored> {
  const store = chosenLedgerStore(databases);
  if (await store.isMissing()) throw new RestoreError(`${store.name} is missing: ${advice.nameBackup}`);
  return withReplicas(databases, options, async (replicas) => {
    const stocks = await laterStocks(databases, databases.dataDir, options.stocksFile);
    const { dryRun = false } = options;
    const up = await bringUp(databases, { replicas, stocks, dryRun });
    return { ...report(store, replicas, up), placed: [], aside: [] };
  });
}

function running(database: string): RestoreError {
  return new RestoreError(
    `${database} is held by a running service or command: stop everything first, then run this again`,
  );
}

/** Runs `action` with the replicas, and with everything locked that must not run. */
async function withReplicas<Result>(
  databases: Databases,
  { services, dryRun = false }: RestoreOptions,
  action: (replicas: FollowedReplicas) => Promise<Result>,
): Promise<Result> {
  const closing = async (replicas: FollowedReplicas) => {
    try {
      return await action(replicas);
    } finally {
      replicas.close();
    }
  };
  if (services === undefined) {
    return whileAllLocked(databases, running, async () => {
      if (!dryRun) await migratePresentReplicas(databases);
      return closing(replicasOfFiles(databases));
    });
  }
  const store = chosenLedgerStore(databases);
  const unlock: Unlock | undefined = await store.lockIfFree();
  if (!unlock) throw running(store.name);
  try {
    return await closing(await replicasOfServices(services));
  } finally {
    await unlock();
  }
}

/** Copies a backup's files into a new folder, checks the copies, and brings them to the newest tables. */
async function prepare(dataDir: string, folder: string, files: Manifest["files"]): Promise<string> {
  const workshop = makeWorkshop(dataDir);
  try {
    for (const file of files) {
      copyFileSync(join(folder, file.name), join(workshop, file.name));
      // What was copied is checked, not what may be read differently a moment later.
      await requireIntact(workshop, file, folder);
      const id = /^order-(\d+)\.db$/.exec(file.name)?.[1];
      if (id !== undefined) await new ReplicaFile(workshop, Number(id)).migrate();
      if (file.name === "catalog.db") await chosenLedgerStore({ dataDir: workshop }).migrate();
    }
    return workshop;
  } catch (error) {
    rmSync(workshop, { recursive: true, force: true });
    throw error;
  }
}

async function requireSound(workshop: string): Promise<void> {
  const checks = await verify({ dataDir: workshop, replicas: new Map() });
  const [difference] = checks.flatMap(({ differences }) => differences);
  if (difference !== undefined) throw new RestoreError(`the backup must keep every promise: ${difference}`);
}

/**
 * The ledger that is in place must hold no order that the restored one won't: it is put aside, but new orders would get the
 * numbers of those.
 */
async function requireNothingLost(
  store: LedgerStore,
  restored: { readonly dataDir: string },
  replicas: FollowedReplicas,
): Promise<void> {
  const end = await lastOrderOf(store);
  if (end === undefined) return;
  const next = chosenLedgerStore(restored);
  const head = await next.read((view) => view.lastId());
  const longest = replicas.all.find(
    ({ lastId }) => lastId === Math.max(head, ...replicas.all.map((each) => each.lastId)),
  );
  const orders = Math.max(head, longest?.lastId ?? 0);
  if (end.id > orders) {
    const text = `only ${store.name} has the orders from ${orders + 1} to ${end.id}`;
    throw new RestoreError(`${text}: ${advice.moveLedgerElsewhere}`);
  }
  const [same] = await (end.id > head && longest ? longest : ordersOf(next)).ordersAfter(end.id - 1, 1);
  if (!isSameOrder(same, end)) {
    const text = `${store.name} and the backup hold different orders with the number ${end.id}`;
    throw new RestoreError(`${text}: ${advice.moveLedgerElsewhere}`);
  }
  const isSound = (await store.check([])).every(({ outcome }) => outcome === "kept");
  if (end.id === orders && isSound) {
    throw new RestoreError(`${store.name} is correct and has all ${orders} orders: there is nothing to restore`);
  }
}

/** `undefined` if there is no order, or if the ledger can't be read at all. */
async function lastOrderOf(store: LedgerStore) {
  if (await store.isMissing()) return undefined;
  try {
    return await store.read(async (view) => view.order(await view.lastId()));
  } catch (error) {
    if (error instanceof DatabaseError && isBroken(error)) return undefined;
    throw error;
  }
}

/** A replica's copy is put back only where that replica has lost its file: any other catches up by itself. */
function dropReplica(
  workshop: string,
  { replica }: Manifest,
  { dataDir, replicas }: Databases,
  options: RestoreOptions,
) {
  if (!replica) return;
  const address = replicas.get(replica.id);
  const isLostHere = address !== undefined && isLoopback(address) && !new ReplicaFile(dataDir, replica.id).exists;
  if (isLostHere && options.services === undefined) return;
  rmSync(new ReplicaFile(workshop, replica.id).file);
}

/** A backup without a ledger: of a machine that has none, or whose ledger is on a server. */
async function restoreReplica(
  { dataDir }: Databases,
  folder: string,
  { files, replica }: Manifest,
  options: RestoreOptions,
): Promise<Restored> {
  const file = replica && new ReplicaFile(dataDir, replica.id);
  if (!file) throw new RestoreError(`${folder} must hold a catalog or a replica (got neither)`);
  if (file.exists)
    throw new RestoreError(`${file.file} exists: a replica catches up by itself, there is nothing to restore`);
  const wanted = files.filter(({ name }) => name !== "stocks.csv" || !existsSync(keptStocksFile(dataDir)));
  const workshop = await prepare(dataDir, folder, wanted);
  try {
    const problem = new ReplicaFile(workshop, replica.id).problem();
    if (problem) throw problem;
    return { ledger: undefined, missing: [], notWhole: [], ...put(workshop, dataDir, options) };
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}

function put(workshop: string, dataDir: string, { dryRun = false, at }: RestoreOptions): PutBack {
  return dryRun ? { placed: [], aside: [] } : finish(begin(workshop, dataDir, at), dataDir);
}

function report(store: LedgerStore, { all, missing }: FollowedReplicas, up: BroughtUp) {
  const notWhole = all.filter(({ isWhole }) => !isWhole).map(({ name }) => name);
  return { ledger: store.name, missing, notWhole, ...up };
}
