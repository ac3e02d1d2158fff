/** Traded databases for the tests of one file: made once, and copied for each test that changes them. */

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { temporaryFolder } from "./temporary-folder.ts";
import { makeTradedDatabases } from "./traded-databases.ts";

export interface TradedCopies {
  /** The original folder, which no test may change. */
  readonly original: string;
  /** Copies it into a folder that is deleted after the test. Returns that folder. */
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
