/** `bazaar trade`: buy or sell. It is sent again with the same key until there is an answer, so it trades once. */

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
          ? `It may have been traded. Ask again with --key ${key}: nothing is traded twice.`
          : "It was sent to nobody, so nothing was traded.",
    },
    options,
  );
  if (options.json) return;
  const number = expected(orderNumber(reply.body), reply);
  const done = wish.type === "buy" ? "bought" : "sold";
  const again = reply.headers.get(replayedHeader) === "true" ? ", as it was told before" : "";
  print(`order ${number}: ${done} ${wish.quantity} ${wish.name}${again}\n`);
}
