/**
 * Detects that an open database, its log or its lock was deleted, or replaced by another file.
 *
 * Otherwise a process would go on writing into a file without a name, and acknowledge orders that no process can ever
 * read. A lock without a name excludes no other service.
 */

import { existsSync } from "node:fs";
import { basename } from "node:path";
import { type Clock, every } from "@stock-bazaar/shared/clock";
import { DatabaseError } from "./database-error.ts";
import { fileIdentity, lockFileOf, realFile } from "./files.ts";

export const lookEveryMs = 1000;

/**
 * Watches a file that was just opened. Calls `gone` once, when it was deleted or replaced. Returns a function that ends
 * the watch.
 */
export function watchFile(file: string, clock: Clock, gone: (error: DatabaseError) => void): () => void {
  const consequences: readonly [name: string, consequence: string][] = [
    [file, "while it was open: what was written since is lost"],
    [`${realFile(file)}-wal`, "while it was open: what was written since is lost"],
    [lockFileOf(file), `while this service held it: another one could use ${basename(file)} at the same time`],
  ];
  const opened = consequences
    .filter(([name]) => name === file || existsSync(name))
    .map(([name, consequence]) => ({ name, consequence, identity: fileIdentity(name) }));
  const cancel = every(clock, lookEveryMs, () => {
    const changed = opened.find(({ name, identity }) => identity === undefined || fileIdentity(name) !== identity);
    if (!changed) return;
    cancel();
    const what = fileIdentity(changed.name) === undefined ? "deleted" : "replaced";
    gone(new DatabaseError("missing", changed.name, `was ${what} ${changed.consequence}`));
  });
  return cancel;
}
