/** Single HTTP requests without retries. */

import type { TradeRequest } from "@stock-bazaar/client/requests";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export async function get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return read(await fetchDirectly(url, { headers }));
}

export function lookUp(url: string, name: string): Promise<Answer> {
  return get(`${url}/stocks/${name}`);
}

export async function trade(url: string, { key, ...wish }: TradeRequest): Promise<Answer> {
  const headers = { "content-type": "application/json", "idempotency-key": key };
  return read(await fetchDirectly(`${url}/orders`, { method: "POST", headers, body: JSON.stringify(wish) }));
}

export function newTrade(change: Partial<TradeRequest> = {}): TradeRequest {
  return { key: Bun.randomUUIDv7(), name: "GameStart", type: "sell", quantity: 1, ...change };
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
}
