/**
 * Three kinds of tests, one after the other.
 *
 * `unit` runs in seconds. `sim` runs hundreds of simulated disasters on all cores. `e2e` starts many real processes,
 * and therefore runs three files at a time. Longer tests are in `test/extended/`, with a configuration of their own.
 */

import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The longest files: started last, they would run alone at the end. Vitest has durations only from an earlier run. */
const begunFirst = [
  "dashboard.test.ts",
  "lost-databases.test.ts",
  "up.test.ts",
  "import-export.test.ts",
  "no-stale-read.test.ts",
  "many-stocks.test.ts",
  "start-and-stop.test.ts",
  "few-replicas.test.ts",
  "traces.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const index = begunFirst.findIndex((name) => moduleId.endsWith(`/${name}`));
      return index < 0 ? begunFirst.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

// On Node the process would end with a segmentation fault and no message.
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
          // With fewer workers, on two cores, Vitest puts all projects in one queue and the slow tests first.
          maxWorkers: "100%",
          // No test changes a module, so the files share them: loading them for each file would take as long again.
          isolate: false,
          sequence: { groupOrder: 0 },
          // Only turns a hang into a failure: some tests start a process, which is slow on a busy machine.
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
