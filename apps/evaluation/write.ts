/**
 * Writes a whole result or nothing. Every file is complete on disk under another name before the first one replaces its
 * older version: a mixture of two results would look like a valid one.
 */

import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { formatDocument } from "./document.ts";
import type { EvaluationResult } from "./evaluation.ts";
import { drawPlots } from "./plots.ts";

/** Writes the files of a result and returns their paths. Leaves other files in the folder alone. */
export async function writeEvaluation(folder: string, result: EvaluationResult): Promise<string[]> {
  const plots = await drawPlots(result);
  const files = new Map([
    ["evaluation.json", `${JSON.stringify(result, undefined, 2)}\n`],
    ...plots.map(({ name, svg }): [string, string] => [`${name}.svg`, svg]),
    ["README.md", formatDocument(result, plots)],
  ]);
  const target = resolve(folder);
  mkdirSync(target, { recursive: true });
  // Beside the target, because a file can only be renamed within one file system.
  const draft = mkdtempSync(join(dirname(target), `.${basename(target)}-`));
  try {
    for (const [name, text] of files) writeFileSync(join(draft, name), text, { flush: true });
    for (const name of files.keys()) renameSync(join(draft, name), join(target, name));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return [...files.keys()].map((name) => join(folder, name));
}
