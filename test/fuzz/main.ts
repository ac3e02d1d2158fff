/**
 * `npm run fuzz`: sends generated inputs to a bazaar of real processes, or replays a file of the corpus. Exits with 1 if it
 * finds a fault, with 2 if the arguments are wrong.
 */

import { parseArgs } from "node:util";
import { FuzzedBazaar } from "./bazaar.ts";
import { Campaign } from "./campaign.ts";
import { readCorpusFile, replay } from "./corpus.ts";
import { inputOf } from "./generate.ts";
import { describeFault } from "./report.ts";

const usage = `usage: npm run fuzz -- [options]
Sends valid, nearly valid and wild inputs over HTTP and gRPC to a bazaar of real processes.
  --inputs <n>   number of inputs (default 20000)
  --seed <n>     the inputs depend on it alone (default 1)
  --first <n>    number of the first input of the seed (default 1)
  --show         print the inputs instead of sending them
  --file <path>  send the inputs of a file in test/fuzz/corpus/ instead`;

class UsageError extends Error {}

function number(text: string | undefined, name: string, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`--${name} must be a whole number from 1 (got "${text}")`);
  return value;
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      inputs: { type: "string" },
      seed: { type: "string" },
      first: { type: "string" },
      show: { type: "boolean" },
      file: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  return {
    inputs: number(values.inputs, "inputs", 20_000),
    seed: number(values.seed, "seed", 1),
    first: number(values.first, "first", 1),
    isShow: values.show ?? false,
    file: values.file,
    isHelp: values.help ?? false,
  };
}

type Arguments = ReturnType<typeof readArguments>;

async function run({ inputs, seed, first, file }: Arguments): Promise<boolean> {
  const startMs = performance.now();
  const bazaar = await FuzzedBazaar.start();
  const campaign = new Campaign(bazaar);
  let shownMs = startMs;
  const progress = () => {
    if (performance.now() - shownMs < 10_000) return;
    shownMs = performance.now();
    const rate = Math.round((campaign.sent / (shownMs - startMs)) * 1000);
    process.stderr.write(`${campaign.sent.toLocaleString("en")} inputs, ${rate.toLocaleString("en")} a second\n`);
  };
  try {
    if (file === undefined) await campaign.run(first, inputs, (number) => inputOf(seed, number), progress);
    else await replay(campaign, await readCorpusFile(file));
    await campaign.shrink();
    await campaign.finish();
    console.log(campaign.statuses.lines().join("\n"));
    console.log(`  ${campaign.growth()}`);
  } finally {
    await bazaar.stop();
  }
  for (const fault of campaign.faults) console.log(describeFault(fault, seed));
  const seconds = Math.round((performance.now() - startMs) / 1000);
  const counts = { inputs: campaign.sent, "trades told": campaign.told.size, faults: campaign.faults.length, seconds };
  console.log(
    Object.entries(counts)
      .map(([what, value]) => `${what} ${value.toLocaleString("en")}`)
      .join(", "),
  );
  return campaign.faults.length === 0;
}

try {
  const given = readArguments();
  if (given.isHelp) console.log(usage);
  else if (given.isShow) {
    for (let index = 0; index < given.inputs; index += 1)
      console.log(JSON.stringify(inputOf(given.seed, given.first + index)));
  } else process.exitCode = (await run(given)) ? 0 : 1;
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && "code" in error);
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(isUsage ? `${message}\n${usage}\n` : `${message}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
