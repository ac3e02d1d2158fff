/** `bazaar order`: shows one order, or the latest. */

import { columns } from "@stock-bazaar/report/table";
import { at } from "@stock-bazaar/shared/json";
import { ask, type AskOptions, cell, expected, list, price } from "../ask.ts";
import { CommandError, exitCodes } from "../errors.ts";
import { usualLimit } from "../options.ts";

export interface OrderOptions extends AskOptions {
  readonly limit?: number;
  readonly before?: number;
}

export async function order(number: number | undefined, options: OrderOptions): Promise<void> {
  const { limit = usualLimit, before } = options;
  if (number !== undefined && (options.limit ?? before) !== undefined)
    throw new CommandError(
      `--limit and --before must be used without an order number (got ${number})`,
      exitCodes.usage,
    );
  const page = before === undefined ? `limit=${limit}` : `limit=${limit}&before=${before}`;
  const path = number === undefined ? `/orders?${page}` : `/orders/${number}`;
  const about = number === undefined ? undefined : String(number);
  const reply = await ask({ method: "GET", path, about }, options);
  if (options.json) return;
  const one = at(reply.body, "data");
  const orders = expected(number === undefined ? list(reply.body) : one === undefined ? undefined : [one], reply);
  const header = ["number", "type", "quantity", "name", ...(number === undefined ? ["price", "at"] : [])];
  const rows = orders.map((each) => [
    ...["number", "type", "quantity", "name"].map((name) => cell(at(each, name))),
    ...(number === undefined ? [price(at(each, "price")), cell(at(each, "created_at"))] : []),
  ]);
  process.stdout.write(`${columns([header, ...rows]).join("\n")}\n`);
}
