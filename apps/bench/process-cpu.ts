/** How much CPU time a process has taken. On a busy machine it says more than a rate does: waiting isn't in it. */

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

/** The 14th and 15th field. The second is a name in parentheses, which may hold blanks and parentheses itself. */
export function parseCpuSeconds(stat: string): number | undefined {
  const afterName = stat.slice(stat.lastIndexOf(")") + 1).trim();
  const fields = afterName.split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks / ticksPerSecond : undefined;
}
