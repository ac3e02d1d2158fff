/** Commands for customers: look up stocks, trade, show orders. And `status`, the state of the bazaar. */

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

/** Accepts any letter case, as the HTTP routes do. */
function tradeType(text: string): "buy" | "sell" {
  const type = text.toLowerCase();
  if (type !== "buy" && type !== "sell") throw new InvalidArgumentError("must be buy or sell");
  return type;
}

function addRequestOptions(command: Command): Command {
  return addAddress(command)
    .option("--timeout <seconds>", "how long to retry a request without an answer", wholeNumber(0, secondsMax), 2)
    .option("--json", "print the bazaar's reply, which is JSON");
}

export function lookupCommand(): Command {
  const command = define({
    usage: "lookup",
    description: "show a stock, or all of them",
    examples: [
      ["bazaar lookup GameStart", "its price and quantity"],
      ["bazaar lookup", "all stocks"],
      ["bazaar lookup GameStart --json", '{"data":{"name":"GameStart","price":15.99,"quantity":100}}'],
    ],
    exits: { 0: "found", 1: "no such stock", 3: "the bazaar doesn't answer" },
  }).addArgument(new Argument("[name]", "name of the stock; default: all stocks").argParser(stockName));
  return addRequestOptions(command).action(async (name: string | undefined, options: AskOptions) =>
    (await import("../commands/lookup.ts")).lookup(name, options),
  );
}

export function tradeCommand(): Command {
  const command = define({
    usage: "trade",
    description: "buy or sell a stock, and print the number of the order",
    examples: [
      ["bazaar trade buy 3 GameStart", "three units, at the current price"],
      ["bazaar trade sell 1 FishCo --key my-first", "safe to repeat: the same key returns the first outcome"],
    ],
    exits: {
      0: "traded",
      1: "rejected: no such stock, or not enough of it",
      3: "the bazaar doesn't answer; the message says whether the trade may have executed, and how to repeat it",
    },
  })
    .addArgument(new Argument("<type>", "type of the trade").choices(["buy", "sell"]).argParser(tradeType))
    .addArgument(new Argument("<quantity>", "number of units").argParser(wholeNumber(1, tradeQuantityMax)))
    .addArgument(new Argument("<name>", "name of the stock").argParser(stockName));
  return addRequestOptions(command)
    .option("--key <key>", "idempotency key; default: a new one")
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
      ["bazaar order --before 100 --json", "the latest orders before number 100"],
    ],
    exits: { 0: "found", 1: "no such order", 3: "the bazaar doesn't answer" },
  }).addArgument(
    new Argument("[number]", "number of the order; default: list the latest orders").argParser(
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    ),
  );
  return addRequestOptions(command)
    .option("--limit <n>", `maximum number of orders to list (default: ${usualLimit})`, wholeNumber(1, listMax))
    .option("--before <number>", "list only orders with a smaller number", wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .action(async (number: number | undefined, options: OrderOptions) =>
      (await import("../commands/order.ts")).order(number, options),
    );
}

export function statusCommand(): Command {
  const command = define({
    usage: "status",
    description: "show the leader, the lag of each replica, and whether the bazaar is ready to trade",
    examples: [
      ["bazaar status", "the state now"],
      ["bazaar status --watch", "the state every second, until Ctrl-C"],
      ["bazaar status --json", "for a script: .ready, .leader, .replicas"],
      ["bazaar status --json --watch --every 5", "a line of JSON every five seconds"],
    ],
    exits: { 0: "ready to trade", 1: "not ready to trade", 3: "the bazaar doesn't answer" },
  });
  return addAddress(command)
    .option("--watch", "repeat until Ctrl-C, which exits with 0")
    .addOption(
      new Option("--every <seconds>", "pause between two requests; implies --watch")
        .argParser(wholeNumber(1, secondsMax))
        .default(1)
        .implies({ watch: true }),
    )
    .option("--json", "print the state as JSON")
    .action(async (options: StatusOptions) => (await import("../commands/status.ts")).status(options));
}
