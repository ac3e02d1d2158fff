/**
 * Writes a whole result or nothing: every file is complete on disk under another name before the first takes its place.
 * Half an evaluation beside half of an older one would look like a whole one.
 */

import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { formatDocument } from "./document.ts";
import type { EvaluationResult } from "./evaluation.ts";
import { drawPlots } from "./plots.ts";

/** Other files in the folder are left alone. Returns what was written. */
export async function writeEvaluation(folder: string, result: EvaluationResult): Promise<string[]> {
  const plots = await drawPlots(result);
  const files = new Map([
    ["evaluation.json", `${JSON.stringify(result, undefined, 2)}\n`],
    ...plots.map(({ name, svg }): [string, string] => [`${name}.svg`, svg]),
    ["README.md", formatDocument(result, plots)],
  ]);
  const target = resolve(folder);
  mkdirSync(target, { recursive: true });
  // Beside it: a file can only be renamed within one file system.
  const draft = mkdtempSync(join(dirname(target), `.${basename(target)}-`));
  try {
    for (const [name, text] of files) writeFileSync(join(draft, name), text, { flush: true });
    for (const name of files.keys()) renameSync(join(draft, name), join(target, name));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return [...files.keys()].map((name) => join(folder, name));
}
