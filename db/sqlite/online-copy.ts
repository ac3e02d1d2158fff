/**
 * Copies a database while its service writes: for backups.
 *
 * SQLite's online backup copies page by page, so row ids stay as they are; the ledger's rejections are numbered by theirs.
 * Left to itself it begins anew whenever another process commits, and under load it never ends. Here the source reads one
 * snapshot throughout, so the copy is that of one moment, and writers go on.
 */

import { adviceForLost, connect, explained, type SqliteClient } from "./connection.ts";
import { DatabaseError } from "./database-error.ts";
import { sqliteCode } from "./failures.ts";
import { syncToDisk } from "./files.ts";
import type { DatabaseKind } from "./kind.ts";
import { openDatabase } from "./open.ts";

/** About 8 MB; between two steps, other work of the process may run. */
const pagesAtOnce = 2000;

/**
 * Writes a copy to `target`, which must not exist. It is one file without a log, checked from end to end and on the disk.
 * `finish` may change the copy before that. Rejects with a DatabaseError.
 */
export async function copyOnline(
  kind: DatabaseKind,
  file: string,
  target: string,
  finish: (copy: SqliteClient) => void = () => {},
): Promise<void> {
  try {
    await copyPages(kind, file, target);
    finishCopy(target, finish);
  } catch (error) {
    throw explainedCopy({ kind, file, target }, error);
  }
  syncToDisk(target);
}

async function copyPages(kind: DatabaseKind, file: string, target: string): Promise<void> {
  const source = openDatabase(kind, file, "read");
  try {
    source.client.exec("BEGIN");
    // The first read takes the snapshot.
    source.client.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get();
    await source.client.backup(target, { progress: () => pagesAtOnce });
  } finally {
    source.close();
  }
}

function finishCopy(target: string, finish: (copy: SqliteClient) => void): void {
  const copy = connect(target, "write");
  try {
    finish(copy);
    copy.pragma("journal_mode = DELETE");
    const found = copy.pragma("integrity_check(1)", { simple: true });
    // A damaged page is copied like any other.
    if (found !== "ok") throw new DamagedCopyError(String(found).replaceAll(/\s+/g, " "));
  } finally {
    copy.close();
  }
}

class DamagedCopyError extends Error {}

interface Copied {
  readonly kind: DatabaseKind;
  readonly file: string;
  readonly target: string;
}

function explainedCopy({ kind, file, target }: Copied, error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const code = sqliteCode(error);
  if (code.startsWith("SQLITE_FULL")) return explained(target, kind, error);
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof DamagedCopyError) {
    return new DatabaseError("damaged", file, `is damaged (${message}): ${adviceForLost(kind)}`, { cause: error });
  }
  if (/^SQLITE_(CORRUPT|NOTADB|BUSY)/.test(code)) return explained(file, kind, error);
  return new DatabaseError("unreadable", file, `can't be copied to ${target}: ${message}`, { cause: error });
}
