/**
 * A disk that can be filled: a file system in memory, mounted for one database. It needs Linux and root; elsewhere a
 * limit on the size of files replaces it (`fileBytesMax` of `Service.start`).
 */

import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const diskMebibytes = 64;
/** From large to small; after the last one, less room is left than a page of SQLite takes. */
const blockSizes = [1024 * 1024, 4096] as const;

export interface SmallDisk {
  /** Fills the disk: writes that need more room fail from now on. */
  fill(): void;
  /** Frees the room that `fill` took. */
  free(): void;
  unmount(): void;
}

/** Mounts a small disk on an existing, empty folder. Returns `undefined` if that isn't possible. */
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
    // Lazy (-l), because a process that was just killed may still hold a file.
    unmount: () => void run(["umount", "-l", folder]),
  };
}

/** Whether this process can mount one. */
export function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "stock-bazaar-mount-"));
  const disk = mountSmallDisk(folder);
  disk?.unmount();
  rmSync(folder, { recursive: true, force: true });
  return disk !== undefined;
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
