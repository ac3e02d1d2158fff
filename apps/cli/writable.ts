/** Where a long command is to write its result, looked at before it begins: to fail after the work would waste it. */

import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileIdentity } from "@stock-bazaar/sqlite/files";
import { CommandError, exitCodes } from "./errors.ts";

/** Throws a CommandError unless the file or folder can be written; folders that are missing are made then. */
export function requireWritable(option: string, path: string, kind: "file" | "folder"): void {
  const wrong = (why: string) =>
    new CommandError(
      `${option} is ${JSON.stringify(path)}: ${why}; allowed is a ${kind} that this user may write`,
      exitCodes.usage,
    );
  if (path.trim() === "") throw wrong("this is no name");
  let found = resolve(path);
  try {
    while (!existsSync(found)) found = dirname(found);
    const isFolder = statSync(found).isDirectory();
    if (isFolder !== (kind === "folder" || found !== resolve(path)))
      throw wrong(`${found} is a ${isFolder ? "folder" : "file"}`);
    accessSync(found, constants.W_OK);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Throws a CommandError if the path names one of `files`, through a link as well: the result would replace what that
 * file holds.
 */
export function requireOtherFile(option: string, path: string, files: readonly string[]): void {
  const identity = fileIdentity(path);
  const same = files.find(
    (file) => resolve(file) === resolve(path) || (identity !== undefined && fileIdentity(file) === identity),
  );
  if (same === undefined) return;
  throw new CommandError(
    `${option} is ${JSON.stringify(path)}: this is ${same}, which would be lost; allowed is another file`,
    exitCodes.usage,
  );
}

/** Throws a CommandError if there is a device or a pipe: a file that is put in its place as a whole would remove it. */
export function requireRegularFile(option: string, path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
    throw new CommandError(
      `${option} is ${JSON.stringify(path)}: this is no file on a disk; allowed is a file`,
      exitCodes.usage,
    );
  }
}
