/** Whole files: after a power cut there is the old or the new one. Databases are put aside instead of deleted. */

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

/** Throws a ConfigError if the path of a database's folder is a file, or can't be accessed. */
export function requireFolderOf(database: string): void {
  const folder = dirname(database);
  const found = withFolder(folder, () => statSync(folder, { throwIfNoEntry: false }));
  if (found && !found.isDirectory()) throw new ConfigError("DATA_DIR", folder, "must be a folder", "this is a file");
}

/** Creates the folder of a database. Throws a ConfigError if it can't be created or written. */
export function makeFolderOf(database: string): void {
  const folder = dirname(database);
  requireFolderOf(database);
  withFolder(folder, () => mkdirSync(folder, { recursive: true }));
  requireWritableFolderOf(database);
}

/** Throws a ConfigError if the folder can't be written: SQLite creates files beside a database. */
export function requireWritableFolderOf(database: string): void {
  const folder = dirname(database);
  withFolder(folder, () => accessSync(folder, constants.W_OK));
}

/**
 * Throws a SetupError for the first of a database's files that isn't a regular file, or that this user can't write.
 *
 * SQLite would open it anyway, and fail at the first write.
 */
export function requireWritableDatabase(database: string): void {
  const real = realFile(database);
  for (const file of [real, `${real}-wal`, `${real}-shm`]) requireWritableFile(file);
  // SQLite creates the log beside the target of a link.
  if (real !== database) requireWritable(dirname(real), "folder");
}

/** Throws a SetupError if the path exists and isn't a regular file, or if this user can't write it. */
export function requireWritableFile(file: string): void {
  if (existsSync(file)) requireWritable(file, "file");
}

function requireWritable(path: string, kind: "file" | "folder"): void {
  const wrong = (was: string) => new SetupError(`${path} must be a ${kind} that this user can read and write (${was})`);
  const found = statSync(path);
  if (kind === "file" && !found.isFile())
    throw wrong(found.isDirectory() ? "it is a folder" : "it is not a regular file");
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Whether there is no database here. An empty file counts as missing: a migration that was killed at once leaves one,
 * and so does `sqlite3` when it opens a file that is gone.
 */
export function isMissing(database: string): boolean {
  return !existsSync(database) || statSync(database).size === 0;
}

/** The files of a database: itself, and those that SQLite and its service keep beside it. */
export function filesOf(database: string): string[] {
  return ["", "-wal", "-shm", "-lock", "-damaged"].map((end) => `${database}${end}`);
}

/** The note that a database is damaged (`damage.ts`). */
export function noteOfDamage(database: string): string {
  return `${realFile(database)}-damaged`;
}

/** The target of a link, else the path itself: the files that belong to a database lie beside the target. */
export function realFile(file: string): string {
  return existsSync(file) ? realpathSync(file) : file;
}

/** The lock file of a database. It lies beside the target of a link, so that two names of a database have one lock. */
export function lockFileOf(database: string): string {
  return `${realFile(database)}-lock`;
}

/** The device and inode of a file, through links; `undefined` if there is none. */
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
    throw new ConfigError("DATA_DIR", folder, "must be a folder that this user can create and write", reason);
  }
}

/** A file that is complete and on the disk, but doesn't have its name yet. */
export interface PreparedFile {
  /** Gives it its name and replaces the file that has it. The name is on the disk when it returns. */
  put(): void;
  /** Removes it, unless `put` was called. */
  drop(): void;
}

/** Writes the content to a temporary file and syncs it. `parts` are written one after the other. */
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
 * Renames a database together with its write-ahead log, which may hold its newest rows. Returns the new name, or
 * `undefined` if there was nothing to move.
 *
 * Also moves a log without a database: SQLite would use it as the log of the next file of that name. `at` is the time in the
 * new name.
 */
export function putAside(database: string, at = new Date()): string | undefined {
  const aside = asideName(database, at);
  // The index of the log, in memory that its users share. They keep theirs; the next file needs a new one.
  rmSync(`${database}-shm`, { force: true });
  rmSync(noteOfDamage(database), { force: true });
  const log = `${database}-wal`;
  if (isFilled(log)) renameSync(log, `${aside}-wal`);
  else rmSync(log, { force: true });
  if (existsSync(database)) renameSync(database, aside);
  else if (!existsSync(`${aside}-wal`)) return undefined;
  syncToDisk(dirname(database));
  return aside;
}

/**
 * Renames a finished database to `database`, in the same file system, and puts the previous one aside.
 *
 * The previous one is moved only when the new one can certainly take its place. Returns its new name, or `undefined` if
 * there was none. Throws instead of replacing a file that another process has put there meanwhile.
 */
export function putInPlace(finished: string, database: string, at?: Date): string | undefined {
  const canLink = succeeds(() => linkSync(finished, `${finished}-link`));
  const aside = putAside(database, at);
  if (canLink) {
    // Unlike a rename, this never replaces a file.
    linkSync(finished, database);
  } else {
    if (existsSync(database)) throw new Error(`${database} must not exist (another process has created it meanwhile)`);
    renameSync(finished, database);
  }
  syncToDisk(dirname(database));
  return aside;
}

/**
 * Whether `action` succeeds. Not every file system has hard links: FAT doesn't, nor do some shared folders of virtual
 * machines.
 */
function succeeds(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

/** Puts aside the log of a database that was deleted, or moved away without it. */
export function putLeftoversAside(database: string): void {
  const hasLeftovers = existsSync(`${database}-wal`) || existsSync(`${database}-shm`);
  // Checked last: a process that creates the database now creates it before its log.
  if (hasLeftovers && !existsSync(database)) putAside(database);
}

function isFilled(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** `catalog.db` → `catalog-2026-11-21T14-38-00.123Z.db`. */
export function asideName(database: string, at: Date): string {
  const { dir, name, ext } = parse(database);
  return join(dir, `${name}-${timeInName(at)}${ext}`);
}

/** A time as part of a file's name: readable, sortable, and allowed on every file system. */
export function timeInName(at: Date): string {
  return at.toISOString().replaceAll(":", "-");
}
