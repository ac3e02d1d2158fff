/** Takes one rule away and waits for somebody to notice. */

import type { Mutation } from "./mutations.ts";
import { runDirected, runSeeds } from "./runs.ts";

/** The simulation must notice within so many seeds. */
export const findMutationSeedsMax = 500;

export interface Found {
  /** The directed case or the seed that noticed. */
  readonly where: string;
  readonly violation: string;
}

/** `undefined`: nobody noticed. */
export async function findMutation({ name, firstSeed = 1 }: Mutation, jobs?: number): Promise<Found | undefined> {
  for (const { title, violations } of await runDirected(name)) {
    if (violations[0] !== undefined) return { where: title, violation: violations[0] };
  }
  let found: Found | undefined;
  await runSeeds({
    first: firstSeed,
    count: findMutationSeedsMax,
    mutation: name,
    ...(jobs !== undefined && { jobs }),
    ran({ seed, violations: [violation] }) {
      if (violation !== undefined) found ??= { where: `seed ${seed}`, violation };
      return found === undefined;
    },
  });
  return found;
}
