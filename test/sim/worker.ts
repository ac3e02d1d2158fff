/** One process of many that run seeds, or the directed cases: prints one line of JSON for each. */

import { installMutation } from "./mutations.ts";
import type { Assignment } from "./runs.ts";

const { seeds, mutation }: Assignment = JSON.parse(process.argv[2] ?? "");
if (mutation !== undefined) installMutation(mutation);
// Only now may the code be loaded that a mutation is about.
if (seeds) {
  const { simulate } = await import("./simulate.ts");
  for (let seed = seeds.first; seed <= seeds.last; seed += seeds.step) {
    tell(simulate(seed));
    // What a run leaves behind is only freed between two turns of the real event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
} else {
  const { directedCases } = await import("./directed/index.ts");
  for (const { title, run } of directedCases) tell({ title, violations: await run() });
}

function tell(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
