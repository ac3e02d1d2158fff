/** Commands that put load on a running bazaar, or on bazaars that they start. */

import {
  comparedSystems,
  type ExperimentName,
  experimentNames,
  loadTools,
  rowKinds,
  systemNames,
} from "@stock-bazaar/bench/names";
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
import {
  addAddress,
  caOption,
  frontEndAddress,
  list,
  listOf,
  nameList,
  numberList,
  share,
  wholeNumber,
} from "../options.ts";

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
    description: "trade with a running bazaar, and check that each acknowledged order is found and matches its trade",
    examples: [
      ["bazaar client --clients 5 --requests 200 --p 0.4", "five sessions, a trade after 40% of the lookups"],
      ["bazaar client --type lookup --requests 10000", "only lookups"],
      ["bazaar client --host bazaar.example --port 80 --json", "a bazaar on another machine, with JSON for a script"],
    ],
    exits: {
      0: "every request was answered correctly, and every order was found",
      1: "a reply was wrong, or a request failed",
      3: "the bazaar does not answer, or stopped answering",
    },
  });
  return addAddress(command)
    .addOption(
      new Option("--type <type>", "lookups; lookups and trades; these and a check of every order")
        .choices(runTypes)
        .default("session-check"),
    )
    .option("--clients <n>", "number of parallel sessions, each on its own connection", wholeNumber(1, clientsMax), 5)
    .option("--requests <n>", "number of lookups of each client", wholeNumber(1, requestsMax), 200)
    .option("--p <share>", "share of the lookups that a trade follows, from 0 to 1", share, 0.4)
    .option("--stocks <list>", "stocks to look up and trade, separated by commas; default: all", nameList("stocks"))
    .option("--timeout <seconds>", "how long to retry a request without an answer", wholeNumber(1, secondsMax), 30)
    .option("--json", "write the result as JSON")
    .action(async (options: ClientOptions) => (await import("../commands/client.ts")).client(options));
}

export function evaluateCommand(): Command {
  return define({
    usage: "evaluate",
    description:
      "measure latencies over the share of trades, with and without the cache, on new bazaars or on a running one",
    examples: [
      ["bazaar evaluate", "takes some minutes; writes tables, figures and plots to docs/evaluation"],
      ["bazaar evaluate --requests 200 --rounds 1 --out /tmp/evaluation", "a quick run, written elsewhere"],
      [
        "bazaar evaluate --url http://bazaar.example:8080",
        "measures a bazaar on another machine, with real trades; writes to ./evaluation",
      ],
    ],
    exits: {
      0: "measured, and every order was found",
      1: "stopped, or a reply was wrong; nothing is written",
      3: "the URL does not answer, or stopped answering; nothing is written",
    },
  })
    .addOption(
      new Option("--url <url>", "a running front-end, measured with its own cache setting; default: start new bazaars")
        .argParser(frontEndAddress)
        .conflicts("cache"),
    )
    .addOption(caOption())
    .addOption(list("--p", "shares of the lookups that a trade follows", numberList(share), [0, 0.2, 0.4, 0.6, 0.8]))
    .addOption(list("--cache", "cache settings of the front-end to measure", listOf(cacheModes), cacheModes))
    .option("--clients <n>", "number of parallel clients", wholeNumber(1, clientsMax), 5)
    .option("--requests <n>", "lookups of each client in one measurement", wholeNumber(1, requestsMax), requestsUsual)
    .option("--warm-up <n>", "lookups of each client before the first measurement", wholeNumber(0, requestsMax), 2000)
    .option("--rounds <n>", "number of rounds; the result is their median", wholeNumber(1, measuredRoundsMax), 3)
    .option("--seed <n>", "seed for the choice of stocks and trades", wholeNumber(0, seedMax), 1)
    .option(
      "--out <folder>",
      "folder for README.md, evaluation.json and the plots, created if missing; default: docs/evaluation, with --url evaluation",
    )
    .option("--json", "also write the figures as JSON to standard output")
    .action(async (options: EvaluateOptions) => (await import("../commands/evaluate.ts")).evaluate(options));
}

export function benchCommand(): Command {
  // The default warm-up: after 2 s of load the JIT compiler still takes half of the CPU time; after about 20 s it takes
  // little.
  return define({
    usage: "bench",
    description:
      "measure trades and lookups beside HTTP alone, a naive system and PostgreSQL, which takes about twenty-five minutes, or beside other checkouts",
    examples: [
      ["bazaar bench", "all rows and systems"],
      ["bazaar bench --seconds 1 --rounds 1 --connections 64 --rows trades", "a quick look at trades"],
      [
        "bazaar bench --json bench.json --svg bench.svg",
        "also write the figures of every round, and a picture of the rates",
      ],
      ["bazaar bench --against ../v1,.", "instead: compare with the checkout in ../v1; `.` as well shows the noise"],
      [
        "bazaar bench --against ../v1 --systems service,floor",
        "load the path of a trade without its rules in the same run",
      ],
      [
        "bazaar bench --experiments kill,copies",
        "instead: kill the leader twenty times, and measure the cost of copies",
      ],
      ["bazaar bench --experiments ledger --orders 1000,10000000", "instead: measure the cost of a large ledger"],
      ["bazaar bench --experiments catch-up --orders 1000000", "instead: measure how fast an empty replica catches up"],
      ["bazaar bench --experiments soak --minutes 60", "instead: measure the memory during an hour of load"],
    ],
    exits: { 0: "measured, and nothing was lost", 1: "stopped, or a trade was lost" },
  })
    .option("--seconds <n>", "length of one measurement", wholeNumber(1, secondsMax), 3)
    .option(
      "--warm-up <n>",
      "seconds of load before each measurement; with --against, of each system before the first",
      wholeNumber(0, secondsMax),
      20,
    )
    .option(
      "--rounds <n>",
      "number of rounds; the result is their median; default: 3, with --against or --experiments 7",
      wholeNumber(1, measuredRoundsMax),
    )
    .addOption(
      list("--connections", "measure a row of trades with each; lookups use the first", connectionList, [64, 256]),
    )
    .addOption(list("--rows", "rows to measure", listOf(rowKinds), rowKinds))
    .addOption(
      new Option(
        "--systems <list>",
        `systems to compare: ${systemNames.join(", ")}; default: ${comparedSystems.join()}, with --against service`,
      ).argParser(listOf(systemNames)),
    )
    .addOption(
      new Option(
        "--against <list>",
        "folders of other checkouts of this project, separated by commas: compares this one with the first, in pairs",
      )
        .argParser(nameList("folders"))
        .conflicts("svg"),
    )
    .addOption(
      list(
        "--experiments",
        "experiments to run instead of the rows, with the first of --connections",
        listOf(experimentNames),
        [],
      ).conflicts(["rows", "systems", "against", "svg"]),
    )
    .option(
      "--kills <n>",
      "how often kill and freeze stop the leader, and catalog-failover stops the catalog in each of these ways",
      wholeNumber(1, killsMax),
      20,
    )
    .addOption(
      list(
        "--orders",
        "sizes of the ledger in the experiments ledger and catch-up",
        numberList(wholeNumber(1, ordersMax)),
        [1000, 100_000, 1_000_000],
      ),
    )
    .option("--minutes <n>", "minutes of load in the soak experiment", wholeNumber(1, minutesMax), 60)
    .addOption(
      new Option("--tool <name>", "load generator; default: wrk if it is installed, else autocannon").choices(
        loadTools,
      ),
    )
    .option(
      "--json [file]",
      "write JSON to this file (its folder is created), or without a file to standard output instead of the tables",
    )
    .option("--svg <file>", "draw the rates of the rows into this file; its folder is created")
    .action(async (options: BenchCommandOptions, command: Command) => {
      const isGiven = (name: string) => command.getOptionValueSource(name) === "cli";
      const idle = experimentOptions.find(isGiven);
      if (idle !== undefined && options.experiments.length === 0)
        throw new CommandError(`--${idle} must be used with --experiments (it has no effect on rows)`, exitCodes.usage);
      const repeats = options.experiments.length === 0 || options.experiments.some((name) => inRounds.has(name));
      if (isGiven("rounds") && !repeats)
        throw new CommandError(
          `--rounds must be used with rows, or with the experiments ${[...inRounds].join(" and ")}`,
          exitCodes.usage,
        );
      await (await import("../commands/bench.ts")).bench(options);
    });
}

export function chaosCommand(): Command {
  return define({
    usage: "chaos",
    description: "inject faults into real processes under load, round after round, and check every promise",
    examples: [
      ["bazaar chaos --rounds 200", "200 rounds with a new seed"],
      ["bazaar chaos --seed 7 --from 198 --rounds 1", "run one round of a plan again"],
      ["bazaar chaos --only kill-leader --round-seconds 5", "only one kind of fault"],
      ["bazaar chaos --postgres --rounds 20", "with the ledger on PostgreSQL"],
    ],
    exits: { 0: "every promise was kept", 1: "stopped, or a promise was broken; the evidence is kept" },
  })
    .option("--rounds <n>", "number of rounds", wholeNumber(1, roundsMax), 20)
    .option("--seed <n>", "seed of the plan; default: a new one", wholeNumber(0, seedMax))
    .option("--from <n>", "first round of the plan to run", wholeNumber(1, roundsMax), 1)
    .option(
      "--round-seconds <n>",
      "seconds of faults; a round ends when the bazaar works again",
      wholeNumber(1, secondsMax),
      2,
    )
    .option(
      "--front-ends <n>",
      "number of front-ends, which the clients are spread over",
      wholeNumber(1, frontEndsMax),
      2,
    )
    .option("--clients <n>", "number of clients that trade", wholeNumber(1, clientsMax), 16)
    .addOption(list("--only", "faults to choose from", listOf(faultNames), faultNames))
    .option("--postgres", "keep the ledgers on PostgreSQL, on a server that is started for this")
    .option("--keep <folder>", "folder for the history, logs and databases of failed rounds", "test-results/chaos")
    .option(
      "--json [file]",
      "write JSON to this file (its folder is created), or without a file to standard output instead of the table",
    )
    .action(async (options: ChaosCommandOptions) => (await import("../commands/chaos.ts")).chaos(options));
}

const inRounds: ReadonlySet<ExperimentName> = new Set<ExperimentName>(["ledger", "catch-up"]);
const experimentOptions = ["kills", "orders", "minutes"] as const;

const connectionList = numberList(wholeNumber(1, connectionsMax));
