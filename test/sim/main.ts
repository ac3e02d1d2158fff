/**
 * `npm run sim`: runs many seeds, or one seed with a trace of its events, or every mutation.
 * Exits with 1 if a promise was broken or a mutation went unnoticed, with 2 if the arguments are wrong.
 */

import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { findMutation, findMutationSeedsMax } from "./find-mutation.ts";
import { installMutation, mutations } from "./mutations.ts";
import { runDirected, runSeeds } from "./runs.ts";

const usage = `usage: npm run sim -- [options]
Runs the directed cases and many seeds on virtual time, and checks the promises I1 to I9.
  --seeds <n>        number of seeds (default 2000)
  --first <n>        first seed (default 1)
  --seed <n>         run only this seed and print a line for each event
  --partitions <n>   several ledgers beside each other instead of one, from 2 to 64;
                     no directed cases
  --mutation <name>  remove this rule from the code
  --mutations        remove each rule in turn until a check fails, and list the results
  --jobs <n>         number of processes (default: one for each core)`;

const partitionsMax = 64;

class UsageError extends Error {}

const number = (text: string | undefined, name: string, fallback: number) => {
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`--${name} must be a whole number from 1 (got "${text}")`);
  return value;
};

const partitionsOf = (text: string) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 2 || value > partitionsMax)
    throw new UsageError(`--partitions must be a whole number from 2 to ${partitionsMax} (got "${text}")`);
  return value;
};

function readArguments() {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string" },
      first: { type: "string" },
      seed: { type: "string" },
      partitions: { type: "string" },
      mutation: { type: "string" },
      mutations: { type: "boolean" },
      jobs: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  return {
    count: number(values.seeds, "seeds", 2000),
    first: number(values.first, "first", 1),
    seed: values.seed === undefined ? undefined : number(values.seed, "seed", 1),
    jobs: number(values.jobs, "jobs", availableParallelism()),
    partitions:
      values.partitions === undefined
        ? mutations.find(({ name }) => name === values.mutation)?.partitions
        : partitionsOf(values.partitions),
    mutation: values.mutation,
    isAboutMutations: values.mutations ?? false,
    isHelp: values.help ?? false,
  };
}

interface Which {
  readonly partitions: number | undefined;
  readonly mutation: string | undefined;
}

async function one(seed: number, { partitions, mutation }: Which): Promise<boolean> {
  if (mutation !== undefined) installMutation(mutation);
  const { simulate } = await import("./simulate.ts");
  const { simulatePartitions } = await import("./partitions/simulate-partitions.ts");
  const options = { trace: true };
  const { trace, violations, ...counts } =
    partitions === undefined ? simulate(seed, options) : simulatePartitions(seed, partitions, options);
  console.log(trace.join("\n"));
  console.log(JSON.stringify(counts));
  for (const violation of violations) console.log(violation);
  return violations.length === 0;
}

async function many(first: number, count: number, jobs: number, { partitions, mutation }: Which): Promise<boolean> {
  const startMs = performance.now();
  const options =
    (partitions === undefined ? "" : ` --partitions ${partitions}`) +
    (mutation === undefined ? "" : ` --mutation "${mutation}"`);
  const total = {
    seeds: 0,
    events: 0,
    faults: 0,
    trades: 0,
    lookups: 0,
    cacheHits: 0,
    orders: 0,
    takeovers: 0,
    failed: 0,
  };
  const progress = () => `${total.seeds}/${count} seeds, ${total.failed} failed`;
  for (const { title, violations } of partitions === undefined ? await runDirected(mutation) : []) {
    for (const violation of violations) console.log(`${title}: ${violation}`);
    if (violations.length > 0) total.failed += 1;
  }
  await runSeeds({
    first,
    count,
    jobs,
    partitions,
    mutation,
    ran({ seed, violations, events, faults, trades, lookups, cacheHits, orders, takeovers }) {
      total.seeds += 1;
      total.events += events;
      total.faults += faults;
      total.trades += trades;
      total.lookups += lookups;
      total.cacheHits += cacheHits;
      total.orders += orders;
      total.takeovers += takeovers;
      if (violations.length > 0) {
        total.failed += 1;
        console.log(`seed ${seed}: ${violations.join("\n  ")}\n  replay: npm run sim -- --seed ${seed}${options}`);
      }
      if (process.stderr.isTTY) process.stderr.write(`\r${progress()}`);
      else if (total.seeds % 1000 === 0) process.stderr.write(`${progress()}\n`);
      return true;
    },
  });
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  const seconds = Math.round((performance.now() - startMs) / 1000);
  console.log(
    Object.entries({ ...total, seconds })
      .map(([what, value]) => `${what} ${value.toLocaleString("en")}`)
      .join(", "),
  );
  return total.failed === 0;
}

async function allMutations(jobs: number): Promise<boolean> {
  let missed = 0;
  for (const mutation of mutations) {
    const { name, rule, whyUnnoticed } = mutation;
    const found = await findMutation(mutation, jobs);
    if (found === undefined && whyUnnoticed === undefined) missed += 1;
    const where = found ? `${found.where}: ${found.violation}` : `unnoticed in ${findMutationSeedsMax} seeds`;
    console.log(`${rule.padEnd(3)} ${name}\n      ${where}${found || !whyUnnoticed ? "" : `\n      ${whyUnnoticed}`}`);
  }
  return missed === 0;
}

try {
  const { seed, first, count, jobs, partitions, mutation, isAboutMutations, isHelp } = readArguments();
  if (mutation !== undefined && !mutations.some(({ name }) => name === mutation)) {
    throw new UsageError(
      `--mutation must be one of these (got "${mutation}"):\n${mutations.map(({ name }) => `  "${name}"`).join("\n")}`,
    );
  }
  if (isHelp) console.log(usage);
  else {
    const isFine = isAboutMutations
      ? await allMutations(jobs)
      : seed !== undefined
        ? await one(seed, { partitions, mutation })
        : await many(first, count, jobs, { partitions, mutation });
    process.exitCode = isFine ? 0 : 1;
  }
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && "code" in error);
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(isUsage ? `${message}\n${usage}\n` : `${message}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
