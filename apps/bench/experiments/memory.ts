/** The memory that a process uses. */

import { readFileSync } from "node:fs";

/** Resident anonymous memory, which it shares with no other process. `undefined` without /proc or such a process. */
export function memoryMibOf(pid: number): number | undefined {
  try {
    return parseMemoryMib(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return undefined;
  }
}

/** RssAnon leaves out pages of files, like those of a database or of the program itself. */
function parseMemoryMib(status: string): number | undefined {
  const kib = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
  return kib === undefined ? undefined : Number(kib) / 1024;
}
