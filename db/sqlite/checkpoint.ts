/**
 * Copies the write-ahead log into the database file, syncs that, and empties the log.
 *
 * A service does it before it serves. An fsync that failed left pages in the kernel's cache that it calls clean from then
 * on: a process that starts again reads them as if they were on the disk, and no later fsync writes them. Copied, they are
 * written anew. Without this a power cut would leave a hole in the log, and everything after it lost, acknowledged or not.
 */

import { readdirSync, readlinkSync, realpathSync } from "node:fs";
import { basename } from "node:path";
import type { SqliteClient } from "./connection.ts";
import { commandOf, lockHolder } from "./lock-holder.ts";

/** Never waits. Returns who is in the way: a writer, or a reader whose snapshot needs the log. `undefined`: done. */
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

/** The other processes that have this file open, as far as this user may know (Linux only). */
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

/** A process may end while it is looked at, or belong to another user. */
function orElse<Result>(otherwise: Result, look: () => Result): Result {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
