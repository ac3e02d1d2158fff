/** What a customer does: look stocks up, trade, and follow orders. And how the bazaar is. */

import { isFolderName, tradeQuantityMax } from "@stock-bazaar/shared/domain";
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import type { AskOptions } from "../ask.ts";
import type { OrderOptions } from "../commands/order.ts";
import type { StatusOptions } from "../commands/status.ts";
import type { TradeOptions } from "../commands/trade.ts";
import { define } from "../definition.ts";
import { addAddress, filled, usualLimit, wholeNumber } from "../options.ts";

const secondsMax = 3600;
const listMax = 1000;

function stockName(text: string): string {
  const name = filled("the name of a stock")(text);
  if (isFolderName(name)) throw new InvalidArgumentError("must be the name of a stock, not . or ..");
  return name;
}

/** In any letter case, as over HTTP. */
function tradeType(text: string): "buy" | "sell" {
  const type = text.toLowerCase();
  if (type !== "buy" && type !== "sell") throw new InvalidArgumentError("must be buy or sell");
  return type;
}

function asking(command: Command): Command {
  return addAddress(command)
    .option("--timeout <seconds>", "ask again for so long when nobody answers", wholeNumber(0, secondsMax), 2)
    .option("--json", "write the reply as JSON, as the bazaar sent it");
}

export function lookupCommand(): Command {
  const command = define({
    usage: "lookup",
    description: "show a stock, or all of them",
    examples: [
      ["bazaar lookup GameStart", "its price and what there is of it"],
      ["bazaar lookup", "all stocks"],
      ["bazaar lookup GameStart --json", '{"data":{"name":"GameStart","price":15.99,"quantity":100}}'],
    ],
    exits: { 0: "it is there", 1: "there is no such stock", 3: "nobody answers" },
  }).addArgument(new Argument("[name]", "of a stock").argParser(stockName));
  return asking(command).action(async (name: string | undefined, options: AskOptions) =>
    (await import("../commands/lookup.ts")).lookup(name, options),
  );
}

export function tradeCommand(): Command {
  const command = define({
    usage: "trade",
    description: "buy or sell, and tell the number of the order",
    examples: [
      ["bazaar trade buy 3 GameStart", "three units, at the price of the day"],
      ["bazaar trade sell 1 FishCo --key my-first", "safe to repeat: the same key always has the first outcome"],
    ],
    exits: {
      0: "it was traded",
      1: "it was rejected: no such stock, or too little of it",
      3: "nobody answers: if it says that it may have been traded, repeat it with the key that it names",
    },
  })
    .addArgument(new Argument("<type>", "what to do").choices(["buy", "sell"]).argParser(tradeType))
    .addArgument(new Argument("<quantity>", "how many units").argParser(wholeNumber(1, tradeQuantityMax)))
    .addArgument(new Argument("<name>", "the stock").argParser(stockName));
  return asking(command)
    .option("--key <key>", "the Idempotency-Key; default: a new one")
    .action(async (type: "buy" | "sell", quantity: number, name: string, options: TradeOptions) =>
      (await import("../commands/trade.ts")).trade({ type, quantity, name }, options),
    );
}

export function orderCommand(): Command {
  const command = define({
    usage: "order",
    description: "show an order by its number, or the latest orders",
    examples: [
      ["bazaar order 165", "one order"],
      ["bazaar order --limit 5", "the latest five"],
      ["bazaar order --before 100 --json", "those before number 100"],
    ],
    exits: { 0: "it is there", 1: "there is no such order", 3: "nobody answers" },
  }).addArgument(new Argument("[number]", "of the order").argParser(wholeNumber(1, Number.MAX_SAFE_INTEGER)));
  return asking(command)
    .option("--limit <n>", `how many, without a number (default: ${usualLimit})`, wholeNumber(1, listMax))
    .option(
      "--before <number>",
      "without a number: only orders with a smaller one",
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .action(async (number: number | undefined, options: OrderOptions) =>
      (await import("../commands/order.ts")).order(number, options),
    );
}

export function statusCommand(): Command {
  const command = define({
    usage: "status",
    description: "show who leads, who lags, and whether the bazaar is ready to trade",
    examples: [
      ["bazaar status", "once"],
      ["bazaar status --watch", "again and again, until Ctrl-C"],
      ["bazaar status --json", "for a script: .ready, .leader, .replicas"],
      ["bazaar status --json --watch --every 5", "a line of JSON every five seconds"],
    ],
    exits: { 0: "ready to trade", 1: "it answers, and isn't ready", 3: "nobody answers" },
  });
  return addAddress(command)
    .option("--watch", "until Ctrl-C; exits with 0 then")
    .addOption(
      new Option("--every <seconds>", "between two looks; watches, with or without --watch")
        .argParser(wholeNumber(1, secondsMax))
        .default(1)
        .implies({ watch: true }),
    )
    .option("--json", "write it as JSON")
    .action(async (options: StatusOptions) => (await import("../commands/status.ts")).status(options));
}
