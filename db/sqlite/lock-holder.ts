/** Finds the process that holds the write lock of a database. On Linux only; elsewhere it finds none. */

import { readFileSync } from "node:fs";
import { fileIdentity, realFile } from "./files.ts";

/** The byte that a writer locks in the -shm file, which all users of a write-ahead log share. */
const writerLockByte = 120;

/**
 * A text like `process 4711 (sqlite3)`; `undefined` if unknown. Reads one small file, so a service may call this while
 * it serves.
 */
export function lockHolder(database: string): string | undefined {
  const real = realFile(database);
  const shared = inodeOf(`${real}-shm`);
  const whole = inodeOf(real);
  for (const line of readLocks()) {
    // 3: POSIX  ADVISORY  WRITE 4711 fd:01:131077 120 120
    const match = /\bPOSIX\s+\S+\s+WRITE\s+(\d+)\s+\S+:(\d+)\s+(\d+)\s+(\d+)$/.exec(line);
    if (!match) continue;
    const [pid, inode, first, last] = [Number(match[1]), match[2], Number(match[3]), Number(match[4])];
    const isWriter = inode === shared && first <= writerLockByte && writerLockByte <= last;
    if (pid !== process.pid && (isWriter || inode === whole)) return `process ${pid} (${commandOf(pid)})`;
  }
  return undefined;
}

export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    // It has ended, or belongs to another user.
    return "unknown";
  }
}

function inodeOf(file: string): string | undefined {
  return fileIdentity(file)?.split(":")[1];
}

function readLocks(): string[] {
  try {
    return readFileSync("/proc/locks", "utf8").split("\n");
  } catch {
    return [];
  }
}
