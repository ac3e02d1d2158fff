/** Files as wholes: written so that a power cut leaves the old or the new one, and put aside instead of deleted. */

import {
  accessSync,
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, parse } from "node:path";
import { ConfigError } from "@stock-bazaar/process/environment";
import { SetupError } from "@stock-bazaar/shared/errors";

/** Throws a ConfigError if the folder that a database is to be in is none, or can't be looked into. */
export function requireFolderOf(database: string): void {
  const folder = dirname(database);
  const found = withFolder(folder, () => statSync(folder, { throwIfNoEntry: false }));
  if (found && !found.isDirectory()) throw new ConfigError("DATA_DIR", folder, "must be a folder", "this is a file");
}

/** Throws a ConfigError if the folder can't be made, or not be written. */
export function makeFolderOf(database: string): void {
  const folder = dirname(database);
  requireFolderOf(database);
  withFolder(folder, () => mkdirSync(folder, { recursive: true }));
  requireWritableFolderOf(database);
}

/** Throws a ConfigError if the folder can't be written: SQLite makes files of its own beside a database. */
export function requireWritableFolderOf(database: string): void {
  const folder = dirname(database);
  withFolder(folder, () => accessSync(folder, constants.W_OK));
}

/**
 * Throws a SetupError that names the first of a database's files that is none, or that this user can't write. SQLite would
 * open it all the same, and fail at the first write.
 */
export function requireWritableDatabase(database: string): void {
  const real = realFile(database);
  for (const file of [real, `${real}-wal`, `${real}-shm`]) requireWritableFile(file);
  // Where a link leads, its log is made.
  if (real !== database) requireWritable(dirname(real), "folder");
}

/** Throws a SetupError if there is such a file and it is none, or this user can't write it. */
export function requireWritableFile(file: string): void {
  if (existsSync(file)) requireWritable(file, "file");
}

function requireWritable(path: string, kind: "file" | "folder"): void {
  const wrong = (was: string) => new SetupError(`${path} must be a ${kind} that this user can read and write (${was})`);
  const found = statSync(path);
  if (kind === "file" && !found.isFile()) throw wrong(found.isDirectory() ? "it is a folder" : "it is no file");
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

/** An empty file is what a migration leaves that was killed at once, or `sqlite3` when it is asked of a file that is gone. */
export function isMissing(database: string): boolean {
  return !existsSync(database) || statSync(database).size === 0;
}

/** The database with what SQLite and its service keep beside it. */
export function filesOf(database: string): string[] {
  return ["", "-wal", "-shm", "-lock"].map((end) => `${database}${end}`);
}

/** Where the links lead, if this is one: what belongs to a database lies beside that. */
export function realFile(file: string): string {
  return existsSync(file) ? realpathSync(file) : file;
}

/** Beside the database itself, so that two names of it have one lock. */
export function lockFileOf(database: string): string {
  return `${realFile(database)}-lock`;
}

/** Which file has this name, through links; `undefined`: none. */
export function fileIdentity(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}

function withFolder<Result>(folder: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError("DATA_DIR", folder, "must be a folder that this user may make and write", reason);
  }
}

/** A file that is whole and on the disk, but doesn't have its name yet. */
export interface PreparedFile {
  /** Gives it its name and replaces the file that has it. The name is on the disk when it returns. */
  put(): void;
  /** Removes it, unless it has been put. */
  drop(): void;
}

/** `parts` are written one after the other. */
export function prepareWhole(file: string, parts: string | Iterable<string>): PreparedFile {
  const unfinished = `${file}.${process.pid}.tmp`;
  const drop = () => rmSync(unfinished, { force: true });
  try {
    writeFileSync(unfinished, typeof parts === "string" ? parts : "");
    if (typeof parts !== "string") for (const part of parts) appendFileSync(unfinished, part);
    syncToDisk(unfinished);
  } catch (error) {
    drop();
    throw error;
  }
  const put = () => {
    try {
      renameSync(unfinished, file);
    } catch (error) {
      drop();
      throw error;
    }
    syncToDisk(dirname(file));
  };
  return { put, drop };
}

/** `fsync` of a file's content, or of a folder's names. */
export function syncToDisk(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Gives a database another name, together with its write-ahead log, which may hold its newest rows. Returns that name,
 * `undefined` if there was nothing to move.
 *
 * Also for a log whose database is gone: SQLite would take it for the log of the next file of that name.
 */
export function putAside(database: string): string | undefined {
  const aside = asideName(database);
  // An index over the log, in memory that its users share. They keep theirs; the next file needs a new one.
  rmSync(`${database}-shm`, { force: true });
  const log = `${database}-wal`;
  if (isFilled(log)) renameSync(log, `${aside}-wal`);
  else rmSync(log, { force: true });
  if (existsSync(database)) renameSync(database, aside);
  else if (!existsSync(`${aside}-wal`)) return undefined;
  syncToDisk(dirname(database));
  return aside;
}

/**
 * Gives a finished database this name, in the same file system, and puts the one aside that has it: only when it is
 * sure that the new one can take its place. Returns that one's new name, `undefined` if there was none. Throws rather than
 * replace what somebody else has put there meanwhile.
 */
export function putInPlace(finished: string, database: string): string | undefined {
  const canLink = succeeds(() => linkSync(finished, `${finished}-link`));
  const aside = putAside(database);
  if (canLink) {
    // Unlike a renaming, this never replaces anything.
    linkSync(finished, database);
  } else {
    if (existsSync(database)) throw new Error(`${database} was made by somebody else meanwhile`);
    renameSync(finished, database);
  }
  syncToDisk(dirname(database));
  return aside;
}

/** Not every file system knows hard links: FAT doesn't, nor do some folders that a virtual machine shares. */
function succeeds(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

/** What a database left behind that was deleted, or moved away without its log. */
export function putLeftoversAside(database: string): void {
  const hasLeftovers = existsSync(`${database}-wal`) || existsSync(`${database}-shm`);
  // Looked for last: whoever makes it at this moment makes it before its log.
  if (hasLeftovers && !existsSync(database)) putAside(database);
}

function isFilled(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** `catalog.db` → `catalog-2026-11-21T14-38-00.123Z.db`: readable, sortable, and a name on every file system. */
function asideName(database: string): string {
  const { dir, name, ext } = parse(database);
  return join(dir, `${name}-${new Date().toISOString().replaceAll(":", "-")}${ext}`);
}
