/** What a backup's folder holds, and the checksums by which a damaged or half-copied one is noticed. */

import { createHash } from "node:crypto";
import { createReadStream, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { SetupError } from "@stock-bazaar/shared/errors";
import { z } from "zod";

export const manifestName = "manifest.json";
/** Of this layout. A program reads older ones, never newer ones. */
const format = 1;

const count = z.int().nonnegative();
const manifestSchema = z.object({
  format: z.literal(format),
  /** The version of the program that made it. */
  program: z.string(),
  createdAt: z.iso.datetime(),
  /** Where it was made: `--keep` removes only backups of the same folder. */
  source: z.object({ host: z.string(), dataDir: z.string() }),
  /** The ledger's end; absent if its file isn't in the backup. */
  ledger: z.object({ head: count, life: z.string(), term: count }).optional(),
  /** Absent if no replica was here. */
  replica: z.object({ id: z.int().positive(), lastId: count }).optional(),
  files: z.array(
    z.object({
      // Names of the bazaar's own files only: restoring must not write anything else.
      name: z.string().regex(/^(catalog\.db|order-[1-9]\d{0,4}\.db|stocks\.csv)$/),
      bytes: count,
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type BackedUpFile = Manifest["files"][number];

/** A backup wasn't made, or can't be used. Nothing was changed. */
export class BackupError extends SetupError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "BackupError";
  }
}

export function formatManifest(manifest: Omit<Manifest, "format">): string {
  return `${JSON.stringify({ format, ...manifest }, undefined, 2)}\n`;
}

/** Throws a BackupError unless the folder has a manifest that this program can read. */
export function readManifest(folder: string): Manifest {
  const file = join(folder, manifestName);
  const wrong = (why: string, cause: unknown) =>
    new BackupError(`${folder} must be a backup of this program: ${file} ${why}`, { cause });
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw wrong(`can't be read (${error instanceof Error ? error.message : String(error)})`, error);
  }
  const { success, data, error } = manifestSchema.safeParse(content);
  if (success) return data;
  const [issue] = error.issues;
  throw wrong(`is not valid (${issue?.path.join(".")}: ${issue?.message})`, error);
}

/** Reads the whole file. `name` is that in the manifest. */
export async function describeFile(folder: string, name: string): Promise<BackedUpFile> {
  const file = join(folder, name);
  const hash = createHash("sha256");
  for await (const part of createReadStream(file)) hash.update(part as Buffer);
  return { name, bytes: statSync(file).size, sha256: hash.digest("hex") };
}

/** Throws a BackupError unless the file is what the manifest says. `folder` may be another one than the backup's. */
export async function requireIntact(folder: string, expected: BackedUpFile, backup: string): Promise<void> {
  const found = await describeFile(folder, expected.name);
  if (found.bytes === expected.bytes && found.sha256 === expected.sha256) return;
  const [must, got] = [expected, found].map(({ bytes, sha256 }) => `${bytes} bytes, SHA-256 ${sha256}`);
  throw new BackupError(`${join(backup, expected.name)} is damaged: it must have ${must} (got ${got})`);
}
