/** Removes one rule and runs the simulation until a check fails. */

import type { Mutation } from "./mutations.ts";
import { runDirected, runSeeds } from "./runs.ts";

/** A check must fail within this many seeds. */
export const findMutationSeedsMax = 500;

export interface Found {
  /** The directed case or the seed in which a check failed. */
  readonly where: string;
  readonly violation: string;
}

/** Returns the first violation that the mutation causes; `undefined` if no check fails. */
export async function findMutation(
  { name, firstSeed = 1, partitions }: Mutation,
  jobs?: number,
): Promise<Found | undefined> {
  for (const { title, violations } of partitions === undefined ? await runDirected(name) : []) {
    if (violations[0] !== undefined) return { where: title, violation: violations[0] };
  }
  let found: Found | undefined;
  await runSeeds({
    first: firstSeed,
    count: findMutationSeedsMax,
    partitions,
    mutation: name,
    ...(jobs !== undefined && { jobs }),
    ran({ seed, violations: [violation] }) {
      if (violation !== undefined) found ??= { where: `seed ${seed}`, violation };
      return found === undefined;
    },
  });
  return found;
}
