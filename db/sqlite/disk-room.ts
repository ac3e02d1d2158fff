/** Is there room on a database's disk for more than the remainder of a page? */

import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { realFile } from "./files.ts";

/** Of a few batches. What a rolled back transaction has left in the log may be enough for a small write, and for no trade. */
const roomBytesMin = 256 * 1024;

/** True for a database in memory. */
export async function hasRoom(database: string): Promise<boolean> {
  if (database === ":memory:" || database === "") return true;
  const { bsize, bavail, bfree } = await statfs(dirname(realFile(database)));
  // Some file systems keep a share that only root may use.
  return bsize * (process.getuid?.() === 0 ? bfree : bavail) >= roomBytesMin;
}
