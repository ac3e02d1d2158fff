/** What the page asks of the front-end. A trade without an answer is asked again with the same key, which is safe. */

import { newKey } from "./key.ts";
import type { Order, TradeType } from "./words.ts";

const retryMs = 500;
/** Then a person decides. */
const giveUpMs = 60_000;
const answerTimeoutMs = 15_000;

export interface TradeWish {
  readonly name: string;
  readonly type: TradeType;
  readonly quantity: number;
}

export type TradeResult =
  | { readonly status: "accepted"; readonly number: number; readonly tookMs: number; readonly attempts: number }
  | { readonly status: "refused"; readonly message: string }
  /** It may have been done. */
  | { readonly status: "unknown" };

export interface ApiOptions {
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Resolves when there is an outcome, or when there has been none for a minute. `waiting` hears of every further attempt. */
export async function placeTrade(
  { fetch, nowMs, sleep }: ApiOptions,
  wish: TradeWish,
  waiting: (attempts: number) => void = () => {},
): Promise<TradeResult> {
  const key = newKey(Date.now(), crypto.getRandomValues(new Uint8Array(16)));
  const startMs = nowMs();
  for (let attempts = 1; nowMs() - startMs < giveUpMs; attempts += 1) {
    const answer = await ask(fetch, "/orders", {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": key },
      body: JSON.stringify(wish),
    });
    const number = at(answer?.body, "data", "transaction_number");
    if (answer?.status === 200 && typeof number === "number") {
      return { status: "accepted", number, tookMs: nowMs() - startMs, attempts };
    }
    // 5xx and silence mean unknown, never failed.
    if (answer && answer.status < 500) return { status: "refused", message: messageOf(answer.body) };
    waiting(attempts + 1);
    await sleep(retryMs);
  }
  return { status: "unknown" };
}

/** `undefined`: no such order. Throws when there is no answer. */
export async function findOrder({ fetch }: ApiOptions, number: number): Promise<Order | undefined> {
  const answer = await ask(fetch, `/orders/${number}`);
  if (answer?.status === 404) return undefined;
  if (answer?.status !== 200) throw new Error(answer ? messageOf(answer.body) : "The front-end doesn't answer");
  return at(answer.body, "data") as Order;
}

/** For the sake of asking: the answer is thrown away, and no answer too. */
export async function lookUp({ fetch }: ApiOptions, name: string): Promise<void> {
  await ask(fetch, `/stocks/${encodeURIComponent(name)}`);
}

/** Resolves with what has to be told to whoever asked. */
export async function injectFault({ fetch }: ApiOptions, fault: "kill" | "freeze"): Promise<string> {
  const answer = await ask(fetch, `/faults/${fault}-leader`, { method: "POST" });
  if (answer?.status !== 200) return answer ? messageOf(answer.body) : "The front-end doesn't answer";
  return `Replica ${String(at(answer.body, "data", "replica"))} was ${fault === "kill" ? "killed" : "frozen for ten seconds"}`;
}

async function ask(
  fetch: ApiOptions["fetch"],
  url: string,
  init: RequestInit = {},
): Promise<{ status: number; body: unknown } | undefined> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(answerTimeoutMs) });
    return { status: response.status, body: await response.json() };
  } catch {
    return undefined;
  }
}

function messageOf(body: unknown): string {
  const message = at(body, "error", "message");
  return typeof message === "string" ? message : "The front-end gave an answer that this page doesn't understand";
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, name) : undefined),
    value,
  );
}
