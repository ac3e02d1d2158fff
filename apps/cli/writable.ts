/** Checks that the output path is writable before a long command starts: a failure at the end would waste its work. */

import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileIdentity } from "@stock-bazaar/sqlite/files";
import { CommandError, exitCodes } from "./errors.ts";

/** Throws a CommandError unless the file or folder can be written. Missing folders may be created later. */
export function requireWritable(option: string, path: string, kind: "file" | "folder"): void {
  const wrong = (why: string) =>
    new CommandError(
      `${option} must be a ${kind} that this user may write (got ${JSON.stringify(path)}): ${why}`,
      exitCodes.usage,
    );
  if (path.trim() === "") throw wrong("the name is empty");
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

/** Throws a CommandError if the path names one of `files`, also by a link: the result would replace its content. */
export function requireOtherFile(option: string, path: string, files: readonly string[]): void {
  const identity = fileIdentity(path);
  const same = files.find(
    (file) => resolve(file) === resolve(path) || (identity !== undefined && fileIdentity(file) === identity),
  );
  if (same === undefined) return;
  throw new CommandError(
    `${option} must be another file than ${same}, which would be lost (got ${JSON.stringify(path)})`,
    exitCodes.usage,
  );
}

/** Throws a CommandError if the path is a device or a pipe: writing replaces the whole file, which would remove it. */
export function requireRegularFile(option: string, path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
    throw new CommandError(
      `${option} must be a regular file, not a device or a pipe (got ${JSON.stringify(path)})`,
      exitCodes.usage,
    );
  }
}
