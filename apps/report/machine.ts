/** Describes the machine of a measurement: figures of different machines can't be compared without it. */

import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { availableParallelism, cpus, machine, platform, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { median } from "./statistics.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly bun: string;
  /** File system of the folder for temporary files, where the databases are. On tmpfs an fsync costs nothing. */
  readonly fileSystem: string;
  /** Median time to write and fsync 4 KiB there. */
  readonly fsyncMs: number;
}

/** The numbers of the kernel's version, without a suffix that names the build of one host. */
const kernelNumbers = /^\d+(\.\d+)*/;

/** The `f_type` of statfs(2). */
const fileSystems = new Map([
  [0xef53, "ext4"],
  [0x0102_1994, "tmpfs"],
  [0x9123_683e, "btrfs"],
  [0x5846_5342, "xfs"],
  [0x794c_7630, "overlayfs"],
  [0x2fc1_2fc1, "zfs"],
]);
const fsyncs = 100;

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${kernelNumbers.exec(release())?.[0] ?? "unknown"} ${machine()}`,
    bun: Bun.version,
    fileSystem: fileSystemOf(tmpdir()),
    fsyncMs: measureFsyncMs(tmpdir()),
  };
}

/** One sentence in Markdown on two lines; the caller may append more. */
export function formatMachine(
  startedAt: string,
  { cpu, cores, memoryGib, system, bun, loadTool, fileSystem, fsyncMs }: Machine & { readonly loadTool?: string },
): string {
  const programs = loadTool === undefined ? `Bun ${bun}` : `Bun ${bun}, ${loadTool}`;
  return [
    `${startedAt.slice(0, 10)}: ${cpu}, ${cores} cores, ${memoryGib} GiB, ${system}, ${programs}; databases on ${fileSystem},`,
    `where 4 KiB and an fsync take ${fsyncMs.toFixed(2)} ms.`,
  ].join("\n");
}

/** Describes the machine of the clients alone, whose disks don't matter. */
export function formatClientMachine(
  startedAt: string,
  { cpu, cores, memoryGib, system, bun }: Omit<Machine, "fileSystem" | "fsyncMs">,
): string {
  return `${startedAt.slice(0, 10)}: measured from ${cpu}, ${cores} cores, ${memoryGib} GiB, ${system}, Bun ${bun}.`;
}

function fileSystemOf(folder: string): string {
  if (platform() !== "linux") return "unknown";
  const { type } = statfsSync(folder);
  return fileSystems.get(type) ?? `type 0x${type.toString(16)}`;
}

function measureFsyncMs(parent: string): number {
  const folder = mkdtempSync(join(parent, "stock-bazaar-fsync-"));
  const file = openSync(join(folder, "probe"), "w");
  try {
    const page = Buffer.alloc(4096, 1);
    const timesMs = Array.from({ length: fsyncs }, () => {
      const startMs = performance.now();
      writeSync(file, page);
      fsyncSync(file);
      return performance.now() - startMs;
    });
    return median(timesMs) ?? 0;
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
}
