/** Replacements of tools that the documents use and a machine may lack, as commands on the PATH. */

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

export type Tool = "npm" | "sqlite3" | "lsof";

/** Makes the commands in `folder` and returns it, to be put in front of the PATH. */
export function makeShims(folder: string, tools: readonly Tool[]): string {
  mkdirSync(folder);
  for (const tool of tools) {
    const script = resolve(import.meta.dirname, "shims", `${tool}.ts`);
    writeFileSync(join(folder, tool), `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`);
    chmodSync(join(folder, tool), 0o755);
  }
  return folder;
}

export function isInstalled(tool: Tool): boolean {
  return Bun.which(tool) !== null;
}
