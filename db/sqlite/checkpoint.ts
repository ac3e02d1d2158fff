/**
 * Copies the write-ahead log into the database file, syncs that, and empties the log.
 *
 * A service does this before it serves. After a failed fsync the kernel marks the pages in its cache as clean: a
 * restarted process reads them as if they were on the disk, and no later fsync writes them. Copying writes them again.
 * Without this, a power cut would leave a hole in the log and lose everything after it, acknowledged or not.
 */

import { readdirSync, readlinkSync, realpathSync } from "node:fs";
import { basename } from "node:path";
import type { SqliteClient } from "./connection.ts";
import { commandOf, lockHolder } from "./lock-holder.ts";

/**
 * Checkpoints without waiting. Returns `undefined` when done, else what blocks it: a writer, or a reader whose snapshot
 * needs the log.
 */
export function checkpoint(client: SqliteClient): string | undefined {
  const waitMs = client.pragma("busy_timeout", { simple: true });
  client.pragma("busy_timeout = 0");
  try {
    const [result] = client.pragma("wal_checkpoint(TRUNCATE)") as { busy: number }[];
    if (result?.busy === 0) return undefined;
    const writer = lockHolder(client.name);
    const obstacle = writer === undefined ? `read by ${readersOf(realpathSync(client.name))}` : `locked by ${writer}`;
    return `${basename(client.name)} is ${obstacle}`;
  } finally {
    client.pragma(`busy_timeout = ${Number(waitMs)}`);
  }
}

/** The other processes that have this file open, as far as this user may see them (Linux only). */
function readersOf(file: string): string {
  const readers = processIds().filter((id) => id !== process.pid && hasOpen(id, file));
  return readers.length === 0 ? "another process" : readers.map((id) => `process ${id} (${commandOf(id)})`).join(", ");
}

function processIds(): number[] {
  return orElse([], () => readdirSync("/proc").map(Number)).filter((id) => id > 0);
}

function hasOpen(id: number, file: string): boolean {
  const folder = `/proc/${id}/fd`;
  const descriptors = orElse([], () => readdirSync(folder));
  return descriptors.some((descriptor) => orElse("", () => readlinkSync(`${folder}/${descriptor}`)) === file);
}

/** The result of `look`, or `otherwise`: a process may end meanwhile, or belong to another user. */
function orElse<Result>(otherwise: Result, look: () => Result): Result {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
