/**
 * A client that trades over one connection at a time, and the record of what it was told. A persistent one does what
 * the contract asks of it: no answer, or 503, means trying again with the same key, at the next front-end.
 */

import { at, orderNumber, type TradeRequest } from "./client.ts";
import { HttpConnection, type HttpReply } from "./http-connection.ts";

export interface TradeRecord {
  readonly request: TradeRequest;
  /** Of the last attempt; 0: the connection was lost. */
  readonly status: number;
  /** Why there was no reply, or no trade. */
  readonly reason: string;
  /** When the trade was accepted. */
  readonly orderNumber: number | undefined;
  readonly replayed: boolean;
  readonly attempts: number;
  /** The front-end of the last attempt. */
  readonly url: string;
  /** Monotonic; the end is that of the last attempt. */
  readonly startMs: number;
  readonly endMs: number;
}

const retryMs = 20;

/** Accepted, or refused for a reason that the ledger keeps. */
export function isOutcome(status: number, reason: string): boolean {
  return status === 200 || reason === "INSUFFICIENT_QUANTITY" || reason === "INVALID_STOCKNAME";
}

/** The connection was lost, or nobody answered in time: the same request is to be sent again. */
export function isUnknown(status: number): boolean {
  return status === 0 || status === 503;
}

export interface TradingClientOptions {
  readonly urls: readonly string[];
  /** Which of them to begin with. */
  readonly first: number;
  readonly persistent: boolean;
  /** How long to wait for an answer; default: for ever. */
  readonly patienceMs?: number | undefined;
}

export class TradingClient {
  readonly #urls: readonly string[];
  readonly #persistent: boolean;
  readonly #patienceMs: number | undefined;
  #at: number;
  #connection: HttpConnection;
  #closed = false;

  constructor({ urls, first, persistent, patienceMs }: TradingClientOptions) {
    this.#urls = urls;
    this.#persistent = persistent;
    this.#patienceMs = patienceMs;
    this.#at = first % urls.length;
    this.#connection = new HttpConnection(this.#url, this.#patienceMs);
  }

  /** One at a time. A persistent client's ends with an answer, or when the client is closed. */
  async trade(request: TradeRequest): Promise<TradeRecord> {
    const startMs = performance.now();
    for (let attempts = 1; ; attempts += 1) {
      const url = this.#url;
      const answer = await attempt(this.#connection, request);
      const record = { request, attempts, url, startMs, ...answer, endMs: performance.now() };
      if (!isUnknown(record.status)) return record;
      this.#another();
      await Bun.sleep(retryMs);
      if (!this.#persistent || this.#closed) return record;
    }
  }

  /** A trade that is under way is given up. */
  close(): void {
    this.#closed = true;
    this.#connection.close();
  }

  get #url(): string {
    return this.#urls[this.#at] ?? "";
  }

  #another(): void {
    this.#connection.close();
    this.#at = (this.#at + 1) % this.#urls.length;
    this.#connection = new HttpConnection(this.#url, this.#patienceMs);
  }
}

type Answer = Pick<TradeRecord, "status" | "reason" | "orderNumber" | "replayed">;

async function attempt(connection: HttpConnection, { key, ...wish }: TradeRequest): Promise<Answer> {
  let reply: HttpReply;
  try {
    reply = await connection.request("POST", "/orders", { "idempotency-key": key }, JSON.stringify(wish));
  } catch (error) {
    return { status: 0, reason: String(error), orderNumber: undefined, replayed: false };
  }
  const body: unknown = JSON.parse(reply.text);
  const reason = at(body, "error", "reason");
  return {
    status: reply.status,
    reason: typeof reason === "string" ? reason : "",
    orderNumber: orderNumber(body),
    replayed: reply.headers.get("idempotent-replayed") === "true",
  };
}
