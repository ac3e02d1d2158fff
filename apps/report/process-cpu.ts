/**
 * How much CPU time a process has taken, and the whole machine. On a busy machine the first says more than a rate does,
 * as waiting isn't in it, and the second tells that the machine is busy.
 */

import { readFileSync } from "node:fs";

/** The unit of /proc, USER_HZ: 100 on every architecture that Bun runs on. */
const ticksPerSecond = 100;

/** User and system time of all its threads, in seconds. `undefined` where there is no /proc, or no such process. */
export function cpuSecondsOf(pid: number): number | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  return parseCpuSeconds(stat);
}

/** The processes that it has started, and those that they have. None where there is no /proc. */
export function descendantsOf(pid: number): number[] {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  } catch {
    return [];
  }
  const children = text.split(" ").filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

export interface MachineCpu {
  /** Of all cores, in seconds, with what a hypervisor gave to others. */
  readonly busySeconds: number;
  readonly totalSeconds: number;
}

/** Since the start of the machine. `undefined` where there is no /proc. */
export function machineCpu(): MachineCpu | undefined {
  try {
    return parseMachineCpu(readFileSync("/proc/stat", "utf8"));
  } catch {
    return undefined;
  }
}

/** The first line: user, nice, system, idle, iowait, irq, softirq, steal; the guests' times after it are in user. */
export function parseMachineCpu(stat: string): MachineCpu | undefined {
  const [label, ...fields] = (stat.split("\n")[0] ?? "").split(/\s+/);
  const ticks = fields.slice(0, 8).map(Number);
  if (label !== "cpu" || ticks.length < 8 || ticks.some(Number.isNaN)) return undefined;
  const total = ticks.reduce((sum, value) => sum + value, 0);
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
  return { busySeconds: (total - idle) / ticksPerSecond, totalSeconds: total / ticksPerSecond };
}

/** The 14th and 15th field. The second is a name in parentheses, which may hold blanks and parentheses itself. */
export function parseCpuSeconds(stat: string): number | undefined {
  const afterName = stat.slice(stat.lastIndexOf(")") + 1).trim();
  const fields = afterName.split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks / ticksPerSecond : undefined;
}
