/**
 * Notices that an open database was deleted, or replaced by another file. A process would go on writing into a file that
 * has no name any more: it would acknowledge what nobody can ever read.
 */

import { statSync } from "node:fs";
import type { Clock } from "@stock-bazaar/shared/clock";
import { DatabaseError } from "./database-error.ts";

const lookEveryMs = 1000;

/** `file` has just been opened. Calls `gone` once, when it isn't there any more. Returns what ends the watch. */
export function watchFile(file: string, clock: Clock, gone: (error: DatabaseError) => void): () => void {
  const opened = identify(file);
  let cancel: () => void;
  const look = () => {
    const now = identify(file);
    if (now === undefined) {
      gone(new DatabaseError("missing", file, "was deleted while it was open: what was written since is lost"));
    } else if (now !== opened) {
      gone(new DatabaseError("missing", file, "was replaced while it was open: what was written since is lost"));
    } else {
      lookLater();
    }
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
