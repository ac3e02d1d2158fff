/** The page's requests to the front-end. A trade without an answer is sent again with the same key, which is safe. */

import type { idempotencyKeyHeader } from "@stock-bazaar/contract/headers";
import type { FoundOrder } from "@stock-bazaar/contract/replies";
import type { TradeType } from "@stock-bazaar/shared/domain";
import { newKey } from "./key.ts";

const retryMs = 500;
/** How long to retry a trade; after that a person must decide. */
const giveUpMs = 60_000;
const answerTimeoutMs = 15_000;

type TradeHeaders = Readonly<Record<"content-type" | typeof idempotencyKeyHeader, string>>;

export interface TradeRequest {
  readonly name: string;
  readonly type: TradeType;
  readonly quantity: number;
}

export type TradeResult =
  | { readonly status: "accepted"; readonly number: number; readonly tookMs: number; readonly attempts: number }
  | { readonly status: "refused"; readonly message: string }
  /** The trade may have been executed. */
  | { readonly status: "unknown" };

export interface ApiOptions {
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Resolves with the outcome, or with `unknown` after a minute without one. Calls `waiting` before every further
 * attempt.
 */
export async function placeTrade(
  { fetch, nowMs, sleep }: ApiOptions,
  trade: TradeRequest,
  waiting: (attempts: number) => void = () => {},
): Promise<TradeResult> {
  const key = newKey(Date.now(), crypto.getRandomValues(new Uint8Array(16)));
  const startMs = nowMs();
  for (let attempts = 1; nowMs() - startMs < giveUpMs; attempts += 1) {
    const answer = await ask(fetch, "/orders", {
      method: "POST",
      // Only the type is imported: a shared constant would add to the page's size.
      headers: { "content-type": "application/json", "idempotency-key": key } satisfies TradeHeaders,
      body: JSON.stringify(trade),
    });
    const number = at(answer?.body, "data", "transaction_number");
    if (answer?.status === 200 && typeof number === "number") {
      return { status: "accepted", number, tookMs: nowMs() - startMs, attempts };
    }
    // After a 5xx or no answer the outcome is unknown, never failed.
    if (answer && answer.status < 500) return { status: "refused", message: messageOf(answer.body) };
    waiting(attempts + 1);
    await sleep(retryMs);
  }
  return { status: "unknown" };
}

/** Resolves with `undefined` if there is no such order. Rejects if there is no answer. */
export async function findOrder({ fetch }: ApiOptions, number: number): Promise<FoundOrder | undefined> {
  const answer = await ask(fetch, `/orders/${number}`);
  if (answer?.status === 404) return undefined;
  if (answer?.status !== 200) throw new Error(answer ? messageOf(answer.body) : "The front-end doesn't answer");
  return at(answer.body, "data") as FoundOrder;
}

/** Sends a lookup and ignores its result, for the robot's load. */
export async function lookUp({ fetch }: ApiOptions, name: string): Promise<void> {
  await ask(fetch, `/stocks/${encodeURIComponent(name)}`);
}

/** The leading replica, or the active catalog. */
export type Victim = "leader" | "catalog";

/** Kills or freezes a process. Resolves with a message for the user. */
export async function injectFault({ fetch }: ApiOptions, fault: "kill" | "freeze", victim: Victim): Promise<string> {
  const answer = await ask(fetch, `/faults/${fault}-${victim}`, { method: "POST" });
  if (answer?.status !== 200) return answer ? messageOf(answer.body) : "The front-end doesn't answer";
  const [name, number] = victim === "leader" ? ["Replica", "replica"] : ["Catalog", "catalog"];
  return `${name} ${String(at(answer.body, "data", number))} ${fault === "kill" ? "was killed" : "is frozen for ten seconds"}`;
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
  return typeof message === "string" ? message : "The front-end sent a reply that this page doesn't understand";
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, name) : undefined),
    value,
  );
}
