/** `bazaar lookup`: shows one stock, or all. */

import { columns } from "@stock-bazaar/report/table";
import { at } from "@stock-bazaar/shared/json";
import { ask, type AskOptions, cell, expected, list, price } from "../ask.ts";

export async function lookup(name: string | undefined, options: AskOptions): Promise<void> {
  const path = name === undefined ? "/stocks" : `/stocks/${encodeURIComponent(name)}`;
  const about = name === undefined ? undefined : JSON.stringify(name);
  const reply = await ask({ method: "GET", path, about }, options);
  if (options.json) return;
  const one = at(reply.body, "data");
  const stocks = expected(name === undefined ? list(reply.body) : one === undefined ? undefined : [one], reply);
  const rows = stocks.map((stock) => [
    cell(at(stock, "name")),
    price(at(stock, "price")),
    cell(at(stock, "quantity")),
    ...(name === undefined ? [cell(at(stock, "volume"))] : []),
  ]);
  const header = ["name", "price", "quantity", ...(name === undefined ? ["traded"] : [])];
  process.stdout.write(`${columns([header, ...rows], 1).join("\n")}\n`);
}
