/**
 * Three kinds of tests, one after the other: `unit` runs in seconds, `sim` runs hundreds of simulated disasters on all
 * cores, `e2e` starts real processes, many of them, and so three files at a time. What takes long is in `test/extended/`,
 * with a configuration of its own.
 */

import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** They take longest: begun last, they would run alone at the end. Vitest knows that only from an earlier run. */
const begunFirst = ["dashboard.test.ts", "lost-databases.test.ts", "no-stale-read.test.ts"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const index = begunFirst.findIndex((name) => moduleId.endsWith(`/${name}`));
      return index < 0 ? begunFirst.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

// On Node the process would die of a segmentation fault, and say nothing.
if (process.versions.bun === undefined) {
  process.stderr.write(
    `The tests must run on Bun (got Node ${process.versions.node}): npm test\n` +
      "Some of them: npm test -- --project unit apps/order\n",
  );
  process.exit(1);
}

/** For tests that start real processes. */
export const withProcesses = {
  // Vitest's forks don't run on Bun.
  pool: "threads",
  maxWorkers: 3,
  testTimeout: 120_000,
  hookTimeout: 60_000,
} as const;

export default defineConfig({
  test: {
    pool: withProcesses.pool,
    sequence: { sequencer: LongestFirst },
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
          // With fewer, on two cores, Vitest puts all projects in one queue and the slow tests first.
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
          sequence: { groupOrder: 2 },
          ...withProcesses,
        },
      },
    ],
  },
});
