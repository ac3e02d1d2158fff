/** Whether a database's disk has room. */

import { type StatsFs, statfsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { realFile } from "./files.ts";

/**
 * The size of a few batches. Space that a rolled back transaction has left in the log may be enough for a small write,
 * and for no trade.
 */
const roomBytesMin = 256 * 1024;

/** Whether there is room for a few batches; always true for a database in memory. */
export async function hasRoom(database: string): Promise<boolean> {
  return isInMemory(database) || isRoom(await statfs(dirname(realFile(database))));
}

/**
 * Whether an error of SQLite means that the disk is full. Only a failed write says so by itself: if the -shm file can't
 * grow, or no file can be created, SQLite reports a failing disk.
 */
export function isDiskFull(database: string, sqliteCode: string): boolean {
  if (sqliteCode.startsWith("SQLITE_FULL")) return true;
  if (!/^SQLITE_(IOERR|CANTOPEN)/.test(sqliteCode) || isInMemory(database)) return false;
  try {
    return !isRoom(statfsSync(dirname(realFile(database))));
  } catch {
    return false;
  }
}

function isInMemory(database: string): boolean {
  return database === ":memory:" || database === "";
}

function isRoom({ bsize, bavail, bfree, files, ffree }: StatsFs): boolean {
  // Some file systems reserve a share for root.
  const bytes = bsize * (process.getuid?.() === 0 ? bfree : bavail);
  // Some file systems don't count files.
  return bytes >= roomBytesMin && (files === 0 || ffree > 0);
}
