/** Copies of the project as it is before the first command. */

import { cpSync } from "node:fs";
import { basename, join } from "node:path";
import { root } from "@stock-bazaar/cluster/service";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const left = new Set(["node_modules", ".git", "data"]);

/** Copies the project without installed packages and data. The copy is deleted when the test has ended. */
export function copyTree(): string {
  const copy = join(temporaryFolder(), "copy");
  cpSync(root, copy, { recursive: true, filter: (path) => !left.has(basename(path)) });
  return copy;
}
