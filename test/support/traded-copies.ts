/** Traded databases for the tests of one file: made once, and each test may do to its copy what it likes. */

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { temporaryFolder } from "./temporary-folder.ts";
import { makeTradedDatabases } from "./traded-databases.ts";

export interface TradedCopies {
  /** The folder that nobody changes. */
  readonly original: string;
  /** Copies it into a folder that is gone after the test. */
  copy(): string;
}

export function tradedCopies(): TradedCopies {
  let original: string;
  beforeAll(async () => {
    original = mkdtempSync(join(tmpdir(), "stock-bazaar-"));
    await makeTradedDatabases(original);
  });
  afterAll(() => rmSync(original, { recursive: true }));
  return {
    get original() {
      return original;
    },
    copy() {
      const dataDir = temporaryFolder();
      cpSync(original, dataDir, { recursive: true });
      return dataDir;
    },
  };
}
