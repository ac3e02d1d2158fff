/**
 * Is every order that was acknowledged found, and as it was told (I7)? The check that ends a session of every client of
 * this kind.
 */

import { type Answer, BazaarClient, isUnknown, type TradeRecord } from "./bazaar-client.ts";

export interface QueryRecord extends Answer {
  readonly orderNumber: number;
  /** What the reply says, other than it should. Only with status 200. */
  readonly wrong: string | undefined;
}

export interface QueryAllOptions {
  readonly urls: readonly string[];
  readonly records: readonly TradeRecord[];
  /** Each asks for one order at a time. */
  readonly clients: number;
  /** A query that gets no answer is asked again elsewhere for this long; default: 30 seconds. */
  readonly giveUpMs?: number;
  /** How long to wait for one reply; default: 5 seconds. */
  readonly patienceMs?: number;
  /** Hears of each answer. */
  readonly observe?: (query: QueryRecord) => void;
  /** Gives up what isn't answered yet. */
  readonly signal?: AbortSignal;
}

const patienceMsDefault = 5000;
const giveUpMsDefault = 30_000;

/** Asks for every one of these orders until each has an answer; those that get none have status 0 or 503. */
export async function queryAll(options: QueryAllOptions): Promise<QueryRecord[]> {
  const { urls, records, clients, observe, signal } = options;
  const { giveUpMs = giveUpMsDefault, patienceMs = patienceMsDefault } = options;
  const waiting = [...records];
  const heard: QueryRecord[] = [];
  const ask = async (first: number) => {
    const client = new BazaarClient({ urls, first, patienceMs, giveUpMs, isLoad: true });
    const close = () => client.close();
    signal?.addEventListener("abort", close);
    for (let record = waiting.pop(); record && !signal?.aborted; record = waiting.pop()) {
      const query = await queryOrder(client, record);
      heard.push(query);
      observe?.(query);
    }
    signal?.removeEventListener("abort", close);
    client.close();
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => ask(index)));
  return heard;
}

export async function queryOrder(client: BazaarClient, told: TradeRecord): Promise<QueryRecord> {
  const orderNumber = told.orderNumber ?? 0;
  const { order, text, ...answer } = await client.order(orderNumber);
  const { name, type, quantity } = told.request;
  const isRight =
    order?.number === orderNumber && order.name === name && order.type === type && order.quantity === quantity;
  return { ...answer, orderNumber, wrong: answer.status === 200 && !isRight ? text : undefined };
}

/** What is wrong with the answer, as a sentence; `undefined`: nothing. */
export function describeQuery({ orderNumber, status, wrong, reason, url }: QueryRecord): string | undefined {
  if (status === 200 && wrong === undefined) return undefined;
  const answer = isUnknown(status) ? `does not answer: ${reason || status}` : `answers ${status} ${wrong ?? reason}`;
  return `order ${orderNumber} was acknowledged; ${url} ${answer.trimEnd()}`;
}
