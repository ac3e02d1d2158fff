/** The backups in a folder: how they are named, and which are removed when there are more than are kept. */

import { readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { syncToDisk } from "@stock-bazaar/sqlite/files";
import { BackupError, type Manifest, readManifest } from "./manifest.ts";

/** Of a folder that is being written or removed. It never becomes a backup by itself. */
export const unfinishedPrefix = "unfinished-";

const backupName = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$/;

/** Removes what killed backups have left. The caller must hold the folder's lock. */
export function removeUnfinished(to: string): void {
  for (const name of readdirSync(to).filter((entry) => entry.startsWith(unfinishedPrefix))) {
    rmSync(join(to, name), { recursive: true });
  }
}

/**
 * Removes the oldest backups like the one named `newest`, so that `keep` are left, that one among them. Returns the folders.
 *
 * Backups of another bazaar aren't counted, nor are those without a ledger beside those with one: a lost catalog must not make
 * the backups of it disappear.
 */
export function removeOld(to: string, newest: string, keep: number): string[] {
  const made = readManifest(join(to, newest));
  const others = readdirSync(to).filter((name) => backupName.test(name) && name !== newest && isLike(to, name, made));
  const surplus = others
    .toSorted()
    .toReversed()
    .slice(Math.max(0, keep - 1));
  for (const name of surplus) {
    // Under its own name, a folder that is half removed would look like a backup.
    const leaving = join(to, `${unfinishedPrefix}${name}`);
    renameSync(join(to, name), leaving);
    syncToDisk(to);
    rmSync(leaving, { recursive: true });
  }
  return surplus.map((name) => join(to, name));
}

function isLike(to: string, name: string, made: Manifest): boolean {
  try {
    const { source, ledger } = readManifest(join(to, name));
    const isSame = source.host === made.source.host && source.dataDir === made.source.dataDir;
    return isSame && (ledger === undefined) === (made.ledger === undefined);
  } catch (error) {
    if (error instanceof BackupError) return false;
    throw error;
  }
}
