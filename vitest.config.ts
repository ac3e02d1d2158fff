/** Two kinds of tests: `unit` runs in seconds, `e2e` starts real processes and so one file at a time, after it. */

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Threads: Vitest's forks don't run on Bun.
    pool: "threads",
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "apps/**/*.test.ts",
            "db/**/*.test.ts",
            "proto/**/*.test.ts",
            "test/contract/**/*.test.ts",
            "test/http/**/*.test.ts",
          ],
          pool: "threads",
          // With fewer, on two cores, Vitest puts both projects in one queue and the slow tests first.
          maxWorkers: "100%",
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          pool: "threads",
          sequence: { groupOrder: 1 },
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
