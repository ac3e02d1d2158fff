/**
 * Reads the CPU time of a process and of the whole machine. On a busy machine, the CPU time of a process is more
 * reliable than a rate, because it doesn't include waiting. The machine's CPU time shows that it is busy.
 */

import { readFileSync } from "node:fs";

/** The unit of /proc, USER_HZ: 100 on every architecture that Bun runs on. */
const ticksPerSecond = 100;

/** User and system time of all threads of a process, in seconds. `undefined` without /proc or such a process. */
export function cpuSecondsOf(pid: number): number | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  return parseCpuSeconds(stat);
}

/** The ids of a process's children, their children, and so on. Empty without /proc. */
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
  /** Seconds of all cores, including those that a hypervisor gave to other machines (steal). */
  readonly busySeconds: number;
  readonly totalSeconds: number;
}

/** The machine's CPU time since its start. `undefined` without /proc. */
export function machineCpu(): MachineCpu | undefined {
  try {
    return parseMachineCpu(readFileSync("/proc/stat", "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * Parses the first line: user, nice, system, idle, iowait, irq, softirq, steal. `user` includes the guest times after
 * it.
 */
export function parseMachineCpu(stat: string): MachineCpu | undefined {
  const [label, ...fields] = (stat.split("\n")[0] ?? "").split(/\s+/);
  const ticks = fields.slice(0, 8).map(Number);
  if (label !== "cpu" || ticks.length < 8 || ticks.some(Number.isNaN)) return undefined;
  const total = ticks.reduce((sum, value) => sum + value, 0);
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
  return { busySeconds: (total - idle) / ticksPerSecond, totalSeconds: total / ticksPerSecond };
}

/**
 * Parses the 14th and 15th fields. The second field is a name in parentheses, which may contain blanks and parentheses.
 */
export function parseCpuSeconds(stat: string): number | undefined {
  const afterName = stat.slice(stat.lastIndexOf(")") + 1).trim();
  const fields = afterName.split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks / ticksPerSecond : undefined;
}
