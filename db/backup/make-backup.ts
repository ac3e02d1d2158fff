/**
 * Makes a backup: the ledger's file, one replica and the initial stocks, each as it was at one moment, while services may run.
 *
 * The replica is copied before the ledger. An order is in the ledger before any replica has it, so the replica's copy is a
 * prefix of the ledger's. A backup gets its name only when it is verified and on the disk: what was begun never looks whole.
 */

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import type { Check } from "@stock-bazaar/ledger/check";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { version } from "@stock-bazaar/process/version";
import { prepareWhole, syncToDisk, timeInName } from "@stock-bazaar/sqlite/files";
import { lockIfFree } from "@stock-bazaar/sqlite/service-lock";
import { keepStocks, keptStocksFile } from "../kept-stocks.ts";
import { requireNoLostCatalog } from "../recovery/history.ts";
import { type Databases, longestReplica } from "../recovery/replicas-here.ts";
import { requireNoBegunRestore } from "../recovery/begun-restore.ts";
import { verify } from "../recovery/verify.ts";
import { removeOld, removeUnfinished, unfinishedPrefix } from "./kept-backups.ts";
import { BackupError, describeFile, formatManifest, type Manifest, manifestName, readManifest } from "./manifest.ts";

export interface BackupOptions {
  /** The folder that holds the backups. */
  readonly to: string;
  /** How many backups of these databases to keep, the new one included. Default: all. */
  readonly keep?: number | undefined;
  readonly at: Date;
  /** Whether a catalog file that isn't here is on another machine, and not lost. */
  readonly isCatalogElsewhere: boolean;
}

export interface Backup {
  readonly folder: string;
  readonly manifest: Manifest;
  /** Older backups that were removed. */
  readonly removed: readonly string[];
}

/**
 * Rejects with a BackupError, or with the error of a database, if no sound backup can be made; then none was made and none was
 * removed.
 */
export async function makeBackup(databases: Databases, { to, keep, ...options }: BackupOptions): Promise<Backup> {
  requireNoBegunRestore(databases.dataDir);
  await requireSomething(databases, options.isCatalogElsewhere);
  mkdirSync(to, { recursive: true });
  const unlock = lockIfFree(join(to, "backups"));
  if (!unlock) throw new BackupError(`${to} is used by another backup: wait for its end, or name another folder`);
  try {
    removeUnfinished(to);
    const name = await make(databases, to, options.at);
    const removed = keep === undefined ? [] : removeOld(to, name, keep);
    return { folder: join(to, name), manifest: readManifest(join(to, name)), removed };
  } finally {
    unlock();
  }
}

async function requireSomething(databases: Databases, isCatalogElsewhere: boolean): Promise<void> {
  const store = chosenLedgerStore(databases);
  if (store.copyFile && !isCatalogElsewhere) await requireNoLostCatalog(databases);
  if ((await isFileHere(databases)) || longestReplica(databases) !== undefined) return;
  throw new BackupError(`${databases.dataDir} must hold a catalog or a replica to back up (got neither)`);
}

/** Whether the ledger is a file, and here. */
async function isFileHere(databases: Databases): Promise<boolean> {
  const store = chosenLedgerStore(databases);
  return store.copyFile !== undefined && !(await store.isMissing());
}

/** Returns the name of the new backup. */
async function make(databases: Databases, to: string, at: Date): Promise<string> {
  const name = timeInName(at);
  const folder = join(to, name);
  const begun = mkdtempSync(join(to, unfinishedPrefix));
  try {
    const contents = await copyInto(begun, databases);
    await requireSound(begun, databases, contents);
    const files = [];
    for (const file of contents.names) files.push(await describeFile(begun, file));
    const { ledger, replica } = contents;
    const source = { host: hostname(), dataDir: resolve(databases.dataDir) };
    const createdAt = at.toISOString();
    const manifest = { program: version, createdAt, source, ...(ledger && { ledger }), ...(replica && { replica }) };
    prepareWhole(join(begun, manifestName), formatManifest({ ...manifest, files })).put();
    if (existsSync(folder)) throw new BackupError(`${folder} must not exist yet: run this again`);
    renameSync(begun, folder);
    syncToDisk(to);
    return name;
  } catch (error) {
    rmSync(begun, { recursive: true, force: true });
    throw error;
  }
}

interface Contents extends Pick<Manifest, "ledger" | "replica"> {
  readonly names: readonly string[];
}

async function copyInto(folder: string, databases: Databases): Promise<Contents> {
  const longest = longestReplica(databases);
  if (longest) await new ReplicaFile(databases.dataDir, longest.id).copyFile(folder);
  const store = chosenLedgerStore(databases);
  const hasFile = await isFileHere(databases);
  if (hasFile) await store.copyFile?.(folder);
  await copyStocks(folder, databases, hasFile);
  return {
    names: [
      ...(hasFile ? ["catalog.db"] : []),
      ...(longest ? [`order-${longest.id}.db`] : []),
      ...(existsSync(keptStocksFile(folder)) ? ["stocks.csv"] : []),
    ],
    ledger: hasFile ? await endOf(folder) : undefined,
    replica: longest && { id: longest.id, lastId: lastIdIn(folder, longest.id) },
  };
}

async function endOf(folder: string): Promise<Manifest["ledger"]> {
  const { head, life, term } = await chosenLedgerStore({ dataDir: folder }).read((view) => view.register());
  return { head, life, term };
}

function lastIdIn(folder: string, id: number): number {
  const end = new ReplicaFile(folder, id).end();
  if (end instanceof Error) throw end;
  return end.lastId;
}

/** The initial stocks, without which a ledger can't be rebuilt of a replica. */
async function copyStocks(folder: string, databases: Databases, hasFile: boolean): Promise<void> {
  if (hasFile) return keepStocks({ dataDir: folder });
  if (databases.ledgerUrl !== undefined) return keepStocks({ ...databases, dataDir: folder });
  const kept = keptStocksFile(databases.dataDir);
  if (!existsSync(kept)) return;
  copyFileSync(kept, keptStocksFile(folder));
  syncToDisk(keptStocksFile(folder));
}

async function requireSound(folder: string, databases: Databases, { ledger, replica }: Contents): Promise<void> {
  const problem = await firstProblem(folder, databases, { ledger, replica });
  if (problem === undefined) return;
  throw new BackupError(`the copy must be sound, or it is no backup: ${problem}`);
}

async function firstProblem(
  folder: string,
  databases: Databases,
  { ledger, replica }: Pick<Contents, "ledger" | "replica">,
): Promise<string | undefined> {
  const copy = replica && new ReplicaFile(folder, replica.id);
  if (ledger) return firstDifference(await verify({ dataDir: folder, replicas: new Map() }));
  if (databases.ledgerUrl !== undefined)
    return firstDifference(await chosenLedgerStore(databases).check(copy ? [copy] : []));
  return copy?.problem()?.message;
}

function firstDifference(checks: readonly Check[]): string | undefined {
  return checks.flatMap(({ differences }) => differences)[0];
}
