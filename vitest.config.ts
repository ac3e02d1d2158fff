/**
 * Three kinds of tests, one after the other: `unit` runs in seconds, `sim` runs thousands of simulated failures on all
 * cores, `e2e` starts real processes, many of them, and so three files at a time.
 */

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
          // The files share their modules, none of which a test changes: to load them for each would take as long again.
          isolate: false,
          sequence: { groupOrder: 0 },
          // Only turns a hang into a failure: some of them start a process, which takes long where much else runs.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "sim",
          include: ["test/sim/**/*.test.ts"],
          pool: "threads",
          sequence: { groupOrder: 1 },
          testTimeout: 180_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          pool: "threads",
          sequence: { groupOrder: 2 },
          maxWorkers: 3,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
