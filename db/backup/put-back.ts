/**
 * Puts the finished files of a restore in place, and what was there aside.
 *
 * The files are several, so they can't be put in place in one step. Instead one rename of their folder decides that they will
 * be: before it nothing has changed, after it nothing starts until all are in place (`begun-restore.ts`). Each step can be done
 * again.
 */

import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join, parse } from "node:path";
import { asideName, fileIdentity, putInPlace, syncToDisk, timeInName } from "@stock-bazaar/sqlite/files";
import { begunRestorePrefix } from "../recovery/begun-restore.ts";

/** Of a folder that is being made or removed. */
const workshopPrefix = "restoring-";

export interface PutBack {
  /** The files that are in place now. */
  readonly placed: readonly string[];
  /** The new names of those that were there. */
  readonly aside: readonly string[];
}

/** Creates a folder for files that are being prepared, and removes those that killed restores have left. */
export function makeWorkshop(dataDir: string): string {
  for (const name of readdirSync(dataDir).filter((entry) => entry.startsWith(workshopPrefix))) {
    rmSync(join(dataDir, name), { recursive: true });
  }
  return mkdtempSync(join(dataDir, workshopPrefix));
}

/** Decides that the files of the workshop will be put in place. Returns the folder's new name. */
export function begin(workshop: string, dataDir: string, at: Date): string {
  for (const name of readdirSync(workshop)) syncToDisk(join(workshop, name));
  syncToDisk(workshop);
  const begun = join(dataDir, `${begunRestorePrefix}${timeInName(at)}`);
  renameSync(workshop, begun);
  syncToDisk(dataDir);
  return begun;
}

/** Puts each file in place that isn't yet. Can be killed at any point and run again. */
export function finish(begun: string, dataDir: string): PutBack {
  const at = timeOf(begun);
  const placed: string[] = [];
  for (const name of namesIn(begun)) {
    const [finished, file] = [join(begun, name), join(dataDir, name)];
    if (name.endsWith(".csv")) putStocks(finished, file, at);
    // After an interruption it may be there already.
    else if (fileIdentity(finished) !== fileIdentity(file)) putInPlace(finished, file, at);
    placed.push(file);
  }
  // Before an interruption some may have been moved already.
  const isAside = (name: string) => /\.(csv|db)$/.test(name) && parse(name).name.endsWith(`-${timeInName(at)}`);
  const aside = readdirSync(dataDir)
    .filter(isAside)
    .toSorted()
    .map((name) => join(dataDir, name));
  const done = join(dataDir, `${workshopPrefix}${basename(begun)}`);
  renameSync(begun, done);
  syncToDisk(dataDir);
  rmSync(done, { recursive: true });
  return { placed, aside };
}

/** The catalog before the replica: a missing replica is created and refilled, a missing catalog would be a lost one. */
function namesIn(begun: string): string[] {
  const rank = (name: string) => (name.endsWith(".csv") ? 0 : name === "catalog.db" ? 1 : 2);
  const names = readdirSync(begun).filter((name) => /\.(csv|db)$/.test(name));
  return names.toSorted((a, b) => rank(a) - rank(b));
}

function putStocks(finished: string, file: string, at: Date): void {
  const isSame = existsSync(file) && readFileSync(file).equals(readFileSync(finished));
  if (existsSync(file) && !isSame) renameSync(file, asideName(file, at));
  renameSync(finished, file);
}

/** The time in the folder's name: after an interruption, what was there gets the same new name. */
function timeOf(begun: string): Date {
  const [date = "", time = ""] = basename(begun).slice(begunRestorePrefix.length).split("T");
  return new Date(`${date}T${time.replaceAll("-", ":")}`);
}
