/**
 * Remembers that a service has read a damaged page, in a note beside the file. At its next start the file may look sound
 * until that page is read again. Checking a whole file takes 0.7 s for each million orders, too long for every start, so
 * only a file with a note is checked.
 */

import { existsSync, rmSync, writeFileSync } from "node:fs";
import { explained } from "./connection.ts";
import { DatabaseError } from "./database-error.ts";
import { noteOfDamage } from "./files.ts";
import type { DatabaseKind } from "./kind.ts";
import { openDatabase } from "./open.ts";

/** Whether the content is damaged: not only unreadable for now, and not another program's file. */
export function isDamage(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && (error.problem === "damaged" || error.problem === "not-sqlite");
}

/** Writes the note, if the error is about damage. Never throws: the service ends anyway. */
export function noteDamage(file: string, error: unknown): void {
  if (!isDamage(error)) return;
  try {
    writeFileSync(noteOfDamage(file), `${error.message}\n`);
  } catch {
    // Its disk is full or can't be written. The service ends again when it reads the page again.
  }
}

/**
 * Checks a file that has a note. Returns what is wrong with it; `undefined` if it is sound (it was put back, or only its
 * reading had failed), and then removes the note.
 */
export function notedDamage(kind: DatabaseKind, file: string): DatabaseError | undefined {
  if (!existsSync(noteOfDamage(file))) return undefined;
  try {
    const database = openDatabase(kind, file, "read");
    try {
      const found = database.client.pragma("integrity_check(1)", { simple: true });
      if (found !== "ok") throw Object.assign(new Error(String(found)), { code: "SQLITE_CORRUPT" });
    } finally {
      database.close();
    }
  } catch (error) {
    const problem = explained(file, kind, error);
    if (isDamage(problem)) return problem;
    throw problem;
  }
  rmSync(noteOfDamage(file), { force: true });
  return undefined;
}
