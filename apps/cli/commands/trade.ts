/** `bazaar trade`: buys or sells. Retries use the same idempotency key, so the trade executes at most once. */

import { idempotencyKeyHeader, idempotencyKeyPattern, replayedHeader } from "@stock-bazaar/contract/headers";
import { orderNumber } from "@stock-bazaar/client/requests";
import { ask, type AskOptions, expected, requireUnderstood } from "../ask.ts";
import { CommandError, exitCodes } from "../errors.ts";
import { print } from "../output.ts";

export interface TradeOptions extends AskOptions {
  readonly key?: string;
}

interface Wish {
  readonly type: "buy" | "sell";
  readonly quantity: number;
  readonly name: string;
}

export async function trade(wish: Wish, options: TradeOptions): Promise<void> {
  const { key = Bun.randomUUIDv7() } = options;
  if (!idempotencyKeyPattern.test(key))
    throw new CommandError(
      `--key must be 1 to 255 visible ASCII characters (got ${JSON.stringify(key)})`,
      exitCodes.usage,
    );
  await requireUnderstood(options);
  const reply = await ask(
    {
      method: "POST",
      path: "/orders",
      headers: { [idempotencyKeyHeader]: key },
      body: wish,
      about: JSON.stringify(wish.name),
      unanswered: (sent) =>
        sent
          ? `The trade may have executed. Repeat it with --key ${key}: the same key never trades twice.`
          : "The trade was not sent, so nothing was traded.",
    },
    options,
  );
  if (options.json) return;
  const number = expected(orderNumber(reply.body), reply);
  const done = wish.type === "buy" ? "bought" : "sold";
  const again = reply.headers.get(replayedHeader) === "true" ? " in an earlier request with this key" : "";
  print(`order ${number}: ${done} ${wish.quantity} ${wish.name}${again}\n`);
}
