/**
 * Checks that every acknowledged order is found and matches its trade (I7). Sessions with a check end with it, and so
 * do rounds of a campaign.
 */

import { type Answer, BazaarClient, isUnknown, type TradeRecord } from "./bazaar-client.ts";

export interface QueryRecord extends Answer {
  readonly orderNumber: number;
  /** The body of a reply with status 200 that doesn't match the trade. */
  readonly wrong: string | undefined;
}

export interface QueryAllOptions {
  readonly urls: readonly string[];
  readonly records: readonly TradeRecord[];
  /** How many clients; each queries one order at a time. */
  readonly clients: number;
  /** How long to retry an unanswered query at other front-ends; default: 30 seconds. */
  readonly giveUpMs?: number;
  /** How long to wait for one reply; default: 5 seconds. */
  readonly patienceMs?: number;
  /** Called with each result. */
  readonly observe?: (query: QueryRecord) => void;
  /** Abandons the queries that aren't answered yet. */
  readonly signal?: AbortSignal;
}

const patienceMsDefault = 5000;
const giveUpMsDefault = 30_000;

/** Queries each of these orders until it has an answer. Orders without one have status 0 or 503. */
export async function queryAll(options: QueryAllOptions): Promise<QueryRecord[]> {
  const { urls, records, clients, observe, signal } = options;
  const { giveUpMs = giveUpMsDefault, patienceMs = patienceMsDefault } = options;
  const waiting = [...records];
  const results: QueryRecord[] = [];
  const ask = async (first: number) => {
    const client = new BazaarClient({ urls, first, patienceMs, giveUpMs, isLoad: true });
    const close = () => client.close();
    signal?.addEventListener("abort", close);
    for (let record = waiting.pop(); record && !signal?.aborted; record = waiting.pop()) {
      const query = await queryOrder(client, record);
      results.push(query);
      observe?.(query);
    }
    signal?.removeEventListener("abort", close);
    client.close();
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => ask(index)));
  return results;
}

export async function queryOrder(client: BazaarClient, trade: TradeRecord): Promise<QueryRecord> {
  const orderNumber = trade.orderNumber ?? 0;
  const { order, text, ...answer } = await client.order(orderNumber);
  const { name, type, quantity } = trade.request;
  const isRight =
    order?.number === orderNumber && order.name === name && order.type === type && order.quantity === quantity;
  return { ...answer, orderNumber, wrong: answer.status === 200 && !isRight ? text : undefined };
}

/** Describes in one sentence what is wrong with the answer; `undefined` if it is right. */
export function describeQuery({ orderNumber, status, wrong, reason, url }: QueryRecord): string | undefined {
  if (status === 200 && wrong === undefined) return undefined;
  const answer = isUnknown(status) ? `does not answer: ${reason || status}` : `answers ${status} ${wrong ?? reason}`;
  return `order ${orderNumber} was acknowledged; ${url} ${answer.trimEnd()}`;
}
