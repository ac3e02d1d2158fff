/**
 * `npm run test:extended`: tests that take long and that few changes can break.
 *
 * Their own configuration keeps them out of `npm test`, which still accepts `--project`. `postgres` repeats the scenarios
 * of `test/e2e/` with the ledger on PostgreSQL.
 */

import { defineConfig } from "vitest/config";
import { withProcesses } from "./vitest.config.ts";

/** Those that say something of the ledger. The others are about files, or about what no ledger changes. */
const scenarios = [
  "catalog-restart",
  "catalog-start",
  "command-line",
  "cut-links",
  "duplicate-keys",
  "few-replicas",
  "follower-away",
  "import-export",
  "leader-death",
  "locked-catalog",
  "lost-databases",
  "many-stocks",
  "no-stale-read",
  "replica-count",
  "start-and-stop",
  "traces",
  "trading",
  "up",
];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "extended",
          include: ["test/extended/**/*.test.ts"],
          sequence: { groupOrder: 0 },
          ...withProcesses,
        },
      },
      {
        test: {
          name: "postgres",
          include: scenarios.map((name) => `test/e2e/${name}.test.ts`),
          env: { BAZAAR_TEST_LEDGER: "postgres" },
          sequence: { groupOrder: 1 },
          ...withProcesses,
        },
      },
    ],
  },
});
