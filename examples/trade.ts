/**
 * Buys or sells a stock, and reads the order back: `bun examples/trade.ts buy 1 GameStart`. Node 22.18 and later run it too.
 *
 * A request that gets no reply, or a 5xx, may have been executed. It is sent again with the same Idempotency-Key: the
 * bazaar executes a key at most once, and answers a repetition with the first outcome. So is one above a rate limit (429).
 */

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const url = process.env.BAZAAR_URL ?? "http://localhost:8080";
/** Of one attempt: longer than the bazaar itself tries, which is 10 s. */
const timeoutSeconds = process.env.BAZAAR_TIMEOUT_SECONDS ?? "15";
const attemptsMax = 5;
const token = process.env.BAZAAR_TOKEN;

interface Reply<Data> {
  readonly status: number;
  readonly data?: Data;
  readonly error?: { readonly message: string };
}

/** Exit codes: 1 rejected, 2 wrong usage, 3 outcome unknown. */
class Failure extends Error {
  readonly exitCode: 1 | 2 | 3;

  constructor(exitCode: 1 | 2 | 3, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Sends the same request until it gets a reply that isn't a 5xx or 429, at most `attemptsMax` times. */
async function send<Data>(path: string, init: RequestInit = {}): Promise<Reply<Data>> {
  const headers = new Headers(init.headers);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  let problem = "";
  let waitSeconds = 1;
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    if (attempt > 1) await sleep(waitSeconds * 1000);
    try {
      const signal = AbortSignal.timeout(Number(timeoutSeconds) * 1000);
      const response = await fetch(url + path, { ...init, headers, signal });
      waitSeconds = Number(response.headers.get("retry-after") ?? 1);
      const reply = (await response.json()) as Omit<Reply<Data>, "status">;
      if (response.status < 500 && response.status !== 429) return { ...reply, status: response.status };
      problem = `${response.status} ${reply.error?.message}`;
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
  }
  throw new Failure(3, `${url} must answer within ${attemptsMax} attempts (got "${problem}")`);
}

/** The data of a reply with status 200. */
function dataOf<Data>(what: string, { status, data, error }: Reply<Data>): Data {
  if (status === 200 && data !== undefined) return data;
  throw new Failure(1, `${what}: ${status} ${error?.message}`);
}

async function trade([type = "", quantity = "", name = "", key = randomUUID()]: string[]): Promise<void> {
  if (!/^(buy|sell)$/.test(type) || !/^[1-9]\d*$/.test(quantity) || name === "")
    throw new Failure(2, "usage: trade.ts buy|sell QUANTITY STOCK [IDEMPOTENCY-KEY]");
  if (!/^[1-9]\d{0,3}$/.test(timeoutSeconds))
    throw new Failure(2, `BAZAAR_TIMEOUT_SECONDS must be a whole number from 1 to 9999 (got "${timeoutSeconds}")`);

  const stock = await send<{ price: number; quantity: number }>(`/stocks/${encodeURIComponent(name)}`);
  const { price, quantity: left } = dataOf(name, stock);
  console.log(`${name}: ${left} left at ${price.toFixed(2)}`);

  // Printed before the trade is sent: with the key its outcome can be found, even if this process dies.
  console.log(`Idempotency-Key: ${key}`);
  const traded = await send<{ transaction_number: number }>("/orders", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": key },
    body: JSON.stringify({ name, quantity: Number(quantity), type }),
  }).catch((error: unknown) => {
    if (error instanceof Failure) error.message += `\nIt may have been traded: run this again with ${key} at the end.`;
    throw error;
  });
  const { transaction_number: number } = dataOf("rejected", traded);

  const order = dataOf(
    `order ${number}`,
    await send<{ number: number; name: string; type: string; quantity: number }>(`/orders/${number}`),
  );
  console.log(`Order ${order.number}: ${order.type} ${order.quantity} ${order.name}`);
}

try {
  await trade(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
