/**
 * Notices that an open database or its log was deleted, or replaced by another file. A process would go on writing into a
 * file that has no name any more: it would acknowledge what nobody can ever read.
 */

import { existsSync, statSync } from "node:fs";
import type { Clock } from "@stock-bazaar/shared/clock";
import { DatabaseError } from "./database-error.ts";

const lookEveryMs = 1000;

/** `file` has just been opened. Calls `gone` once, when it isn't there any more. Returns what ends the watch. */
export function watchFile(file: string, clock: Clock, gone: (error: DatabaseError) => void): () => void {
  const log = `${file}-wal`;
  const opened = (existsSync(log) ? [file, log] : [file]).map((name) => ({ name, identity: identify(name) }));
  let cancel: () => void;
  const look = () => {
    const changed = opened.find(({ name, identity }) => identity === undefined || identify(name) !== identity);
    if (!changed) return lookLater();
    const what = identify(changed.name) === undefined ? "deleted" : "replaced";
    gone(new DatabaseError("missing", changed.name, `was ${what} while it was open: what was written since is lost`));
  };
  const lookLater = () => {
    cancel = clock.after(lookEveryMs, look);
  };
  lookLater();
  return () => cancel();
}

/** Which file has this name; `undefined`: none. */
function identify(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}
