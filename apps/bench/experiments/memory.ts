/** What a process holds in memory. */

import { readFileSync } from "node:fs";

/** Resident, without what it shares with others. `undefined` where there is no /proc, or no such process. */
export function memoryMibOf(pid: number): number | undefined {
  try {
    return parseMemoryMib(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return undefined;
  }
}

/** Pages of files, like those of a database or of the program itself, are not its own. */
function parseMemoryMib(status: string): number | undefined {
  const kib = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
  return kib === undefined ? undefined : Number(kib) / 1024;
}
