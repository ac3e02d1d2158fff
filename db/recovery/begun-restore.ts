/**
 * A restore that was interrupted while it put files in place. Until it is finished no service starts, and no tool creates what
 * seems to be missing.
 */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { advice } from "@stock-bazaar/process/advice";
import { SetupError } from "@stock-bazaar/shared/errors";

/** Of the folder that holds the finished files until each is in its place. A time follows. */
export const begunRestorePrefix = "restore-begun-";

/** That folder; `undefined` if no restore was interrupted. */
export function begunRestore(dataDir: string): string | undefined {
  let names: string[];
  try {
    names = readdirSync(dataDir);
  } catch {
    // It is reported when a file in it is opened.
    return undefined;
  }
  const name = names.find((entry) => entry.startsWith(begunRestorePrefix));
  return name === undefined ? undefined : join(dataDir, name);
}

/** Throws a SetupError if a restore was interrupted. */
export function requireNoBegunRestore(dataDir: string): void {
  const begun = begunRestore(dataDir);
  if (begun !== undefined)
    throw new SetupError(`${begun} holds the files of a restore that was interrupted: ${advice.finishRestore}`);
}
