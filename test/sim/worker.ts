/** A worker process: runs its seeds or the directed cases, and prints one line of JSON for each. */

import { installMutation } from "./mutations.ts";
import type { Assignment } from "./runs.ts";

const { seeds, partitions, mutation }: Assignment = JSON.parse(process.argv[2] ?? "");
if (mutation !== undefined) installMutation(mutation);
// The mutated code must be loaded after the mutation is installed.
const { BrokenInvariant } = await import("@stock-bazaar/shared/invariant");
process.on("unhandledRejection", (error) => {
  // The run has reported it.
  if (!(error instanceof BrokenInvariant)) throw error;
});
if (seeds) {
  const { simulate } = await import("./simulate.ts");
  const { simulatePartitions } = await import("./partitions/simulate-partitions.ts");
  for (let seed = seeds.first; seed <= seeds.last; seed += seeds.step) {
    print(partitions === undefined ? simulate(seed) : simulatePartitions(seed, partitions));
    // The memory of a run is freed only between two turns of the real event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
} else {
  const { directedCases } = await import("./directed/index.ts");
  for (const { title, run } of directedCases) print({ title, violations: await run().catch(brokenInvariant) });
}

function brokenInvariant(error: unknown): string[] {
  if (error instanceof BrokenInvariant) return [error.message];
  throw error;
}

function print(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
