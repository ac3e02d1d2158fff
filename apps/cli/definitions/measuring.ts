/** Commands that put load on a bazaar: one that runs, or ones that they start for themselves. */

import { comparedSystems, experimentNames, loadTools, rowKinds, systemNames } from "@stock-bazaar/bench/names";
import { faultNames } from "@stock-bazaar/chaos/faults/names";
import { runTypes } from "@stock-bazaar/client/run-types";
import { cacheModes, requestsUsual } from "@stock-bazaar/evaluation/settings";
import { type Command, Option } from "commander";
import type { BenchCommandOptions } from "../commands/bench.ts";
import type { ChaosCommandOptions } from "../commands/chaos.ts";
import type { ClientOptions } from "../commands/client.ts";
import type { EvaluateOptions } from "../commands/evaluate.ts";
import { define } from "../definition.ts";
import { CommandError, exitCodes } from "../errors.ts";
import { addAddress, frontEndAddress, list, listOf, nameList, numberList, share, wholeNumber } from "../options.ts";

const clientsMax = 1000;
const requestsMax = 1_000_000;
const secondsMax = 3600;
const roundsMax = 1_000_000;
const measuredRoundsMax = 100;
const connectionsMax = 10_000;
const killsMax = 1000;
const minutesMax = 10_080;
const ordersMax = 100_000_000;
const frontEndsMax = 9;
const seedMax = 2 ** 32 - 1;

export function clientCommand(): Command {
  const command = define({
    usage: "client",
    description: "trade with a running bazaar, and check that each order it acknowledged is there as it was told",
    examples: [
      ["bazaar client --clients 5 --requests 200 --p 0.4", "five sessions, a trade after 40% of the lookups"],
      ["bazaar client --type lookup --requests 10000", "lookups alone"],
      ["bazaar client --host bazaar.example --port 80 --json", "another machine, for a script"],
    ],
    exits: {
      0: "each request was answered as it should be, and each order is there",
      1: "something was told that can't be true, or was answered with an error",
      3: "nobody answers (any more)",
    },
  });
  return addAddress(command)
    .addOption(
      new Option("--type <type>", "lookups alone; with trades; with the check of every order")
        .choices(runTypes)
        .default("session-check"),
    )
    .option("--clients <n>", "sessions side by side, one connection each", wholeNumber(1, clientsMax), 5)
    .option("--requests <n>", "lookups of each client", wholeNumber(1, requestsMax), 200)
    .option("--p <share>", "of the lookups that a trade follows, from 0 to 1", share, 0.4)
    .option("--stocks <list>", "what to look up and trade, separated by commas; default: all", nameList("stocks"))
    .option(
      "--timeout <seconds>",
      "a request that nobody answers is sent again for so long",
      wholeNumber(1, secondsMax),
      30,
    )
    .option("--json", "write the result as JSON")
    .action(async (options: ClientOptions) => (await import("../commands/client.ts")).client(options));
}

export function evaluateCommand(): Command {
  return define({
    usage: "evaluate",
    description:
      "measure latencies over the share of trades, with and without the cache, on bazaars of its own or on one that runs",
    examples: [
      ["bazaar evaluate", "some minutes; tables, figures and plots into docs/evaluation"],
      ["bazaar evaluate --requests 200 --rounds 1 --out /tmp/evaluation", "a quick one, elsewhere"],
      [
        "bazaar evaluate --url http://bazaar.example:8080",
        "on another machine, which really trades; into ./evaluation",
      ],
    ],
    exits: {
      0: "measured, and every order is there",
      1: "stopped, or something was told that can't be true: nothing is written",
      3: "nobody answers at the URL (any more): nothing is written",
    },
  })
    .addOption(
      new Option(
        "--url <url>",
        "of a front-end that runs already, with its cache as it is; default: bazaars of its own",
      )
        .argParser(frontEndAddress)
        .conflicts("cache"),
    )
    .addOption(list("--p", "shares of lookups that a trade follows", numberList(share), [0, 0.2, 0.4, 0.6, 0.8]))
    .addOption(list("--cache", "of the front-end", listOf(cacheModes), cacheModes))
    .option("--clients <n>", "side by side", wholeNumber(1, clientsMax), 5)
    .option("--requests <n>", "lookups of each client in one measurement", wholeNumber(1, requestsMax), requestsUsual)
    .option("--warm-up <n>", "lookups of each client before the first measurement", wholeNumber(0, requestsMax), 2000)
    .option("--rounds <n>", "of which the median is told", wholeNumber(1, measuredRoundsMax), 3)
    .option("--seed <n>", "of what is looked up and traded", wholeNumber(0, seedMax), 1)
    .option(
      "--out <folder>",
      "for README.md, evaluation.json and the plots; made if it isn't there; default: docs/evaluation, with --url evaluation",
    )
    .option("--json", "write the figures as JSON to standard output too")
    .action(async (options: EvaluateOptions) => (await import("../commands/evaluate.ts")).evaluate(options));
}

export function benchCommand(): Command {
  // After two seconds of load the compiler still takes half the time; most of it is over after about twenty.
  return define({
    usage: "bench",
    description:
      "measure trades and lookups beside HTTP alone, a naive system and PostgreSQL; takes about twenty-five minutes",
    examples: [
      ["bazaar bench", "all of it"],
      ["bazaar bench --seconds 1 --rounds 1 --connections 64 --rows trades", "a quick look at trades"],
      [
        "bazaar bench --json bench.json --svg bench.svg",
        "the figures of every round as well, and a picture of the rates",
      ],
      ["bazaar bench --experiments kill,copies", "instead: twenty deaths of the leader, and what a copy costs"],
      ["bazaar bench --experiments ledger --orders 1000,10000000", "instead: what orders cost that are there already"],
      ["bazaar bench --experiments soak --minutes 60", "instead: what an hour of load leaves in memory"],
    ],
    exits: { 0: "measured, and nothing was lost", 1: "stopped, or a trade was lost" },
  })
    .option("--seconds <n>", "of one measurement", wholeNumber(1, secondsMax), 3)
    .option("--warm-up <n>", "seconds of load before each measurement", wholeNumber(0, secondsMax), 20)
    .option("--rounds <n>", "of which the median is told", wholeNumber(1, measuredRoundsMax), 3)
    .addOption(list("--connections", "a row of trades for each; lookups use the first", connectionList, [64, 256]))
    .addOption(list("--rows", "what to measure", listOf(rowKinds), rowKinds))
    .addOption(list("--systems", "what to compare", listOf(systemNames), comparedSystems))
    .addOption(
      list(
        "--experiments",
        "instead of rows, with the first of the connections",
        listOf(experimentNames),
        [],
      ).conflicts(["rows", "systems", "rounds", "svg"]),
    )
    .option("--kills <n>", "how often the leader dies in an experiment", wholeNumber(1, killsMax), 20)
    .addOption(
      list(
        "--orders",
        "sizes of the ledger in an experiment",
        numberList(wholeNumber(1, ordersMax)),
        [1000, 100_000, 1_000_000],
      ),
    )
    .option("--minutes <n>", "of load in the soak experiment", wholeNumber(1, minutesMax), 60)
    .addOption(new Option("--tool <name>", "default: wrk where it is installed").choices(loadTools))
    .option(
      "--json [file]",
      "write JSON to this file, whose folder is made, or to standard output in place of the tables",
    )
    .option("--svg <file>", "draw the rates of the rows into this file, whose folder is made")
    .action(async (options: BenchCommandOptions, command: Command) => {
      const idle = experimentOptions.find((name) => command.getOptionValueSource(name) === "cli");
      if (idle !== undefined && options.experiments.length === 0)
        throw new CommandError(`--${idle} is of an experiment: allowed is only with --experiments`, exitCodes.usage);
      await (await import("../commands/bench.ts")).bench(options);
    });
}

export function chaosCommand(): Command {
  return define({
    usage: "chaos",
    description: "kill, freeze and rob real processes under load, round after round, and check every promise",
    examples: [
      ["bazaar chaos --rounds 200", "with a new seed"],
      ["bazaar chaos --seed 7 --from 198 --rounds 1", "one round of a plan again"],
      ["bazaar chaos --only kill-leader --round-seconds 5", "one fault alone"],
    ],
    exits: { 0: "every promise was kept", 1: "stopped, or one was broken: the evidence is kept" },
  })
    .option("--rounds <n>", "how many", wholeNumber(1, roundsMax), 20)
    .option("--seed <n>", "of the plan; default: a new one", wholeNumber(0, seedMax))
    .option("--from <n>", "the round of the plan to begin with", wholeNumber(1, roundsMax), 1)
    .option("--round-seconds <n>", "of faults; a round ends when all is well again", wholeNumber(1, secondsMax), 2)
    .option("--front-ends <n>", "that clients spread over", wholeNumber(1, frontEndsMax), 2)
    .option("--clients <n>", "that trade", wholeNumber(1, clientsMax), 16)
    .addOption(list("--only", "faults to choose from", listOf(faultNames), faultNames))
    .option("--keep <folder>", "where the history, logs and databases of failing rounds go", "test-results/chaos")
    .option(
      "--json [file]",
      "write JSON to this file, whose folder is made, or to standard output in place of the table",
    )
    .action(async (options: ChaosCommandOptions) => (await import("../commands/chaos.ts")).chaos(options));
}

const experimentOptions = ["kills", "orders", "minutes"] as const;

const connectionList = numberList(wholeNumber(1, connectionsMax));
