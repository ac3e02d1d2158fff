/** Checks that a database's disk has room for a few batches. */

import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { realFile } from "./files.ts";

/**
 * The size of a few batches. Space that a rolled back transaction has left in the log may be enough for a small write,
 * and for no trade.
 */
const roomBytesMin = 256 * 1024;

/** Whether there is room; always true for a database in memory. */
export async function hasRoom(database: string): Promise<boolean> {
  if (database === ":memory:" || database === "") return true;
  const { bsize, bavail, bfree } = await statfs(dirname(realFile(database)));
  // Some file systems reserve a share for root.
  return bsize * (process.getuid?.() === 0 ? bfree : bavail) >= roomBytesMin;
}
