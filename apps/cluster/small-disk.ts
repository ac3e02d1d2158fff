/**
 * A disk that can be full: a file system in memory, mounted for one database. Only Linux has it, and only for root;
 * elsewhere there is none, and a limit on the size of files stands in for it (`fileBytesMax` of `Service.start`).
 */

import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

const diskMebibytes = 64;
/** From large to small: the last one leaves less room than a page of SQLite takes. */
const blockSizes = [1024 * 1024, 4096] as const;

export interface SmallDisk {
  /** From now on nothing more can be written that needs room. */
  fill(): void;
  /** Makes room again. */
  free(): void;
  unmount(): void;
}

/** `undefined` where it can't be mounted. The folder must be there, and empty. */
export function mountSmallDisk(folder: string): SmallDisk | undefined {
  if (process.platform !== "linux") return undefined;
  const mount = ["mount", "-t", "tmpfs", "-o", `size=${diskMebibytes}m`, "stock-bazaar-chaos", folder];
  if (!run(mount)) return undefined;
  const ballast = join(folder, "ballast");
  return {
    fill() {
      const file = openSync(ballast, "a");
      for (const size of blockSizes) writeUntilFull(file, Buffer.alloc(size));
      closeSync(file);
    },
    free: () => rmSync(ballast, { force: true }),
    // Lazy: a process that was killed a moment ago may still hold a file.
    unmount: () => void run(["umount", "-l", folder]),
  };
}

function writeUntilFull(file: number, block: Buffer): void {
  try {
    while (writeSync(file, block) === block.length);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  }
}

function run(command: string[]): boolean {
  try {
    return Bun.spawnSync(command, { stdio: ["ignore", "ignore", "ignore"] }).success;
  } catch {
    return false;
  }
}
