/**
 * A client of the bazaar that does what the contract asks of it. No answer, or 503, means that nobody knows what became
 * of the request: it is sent again, a trade with the same key, at the next front-end. One request at a time, over one
 * connection that is kept alive.
 */

import type { OrderType } from "@stock-bazaar/shared/domain";
import { at } from "@stock-bazaar/shared/json";
import { type Connection, HttpConnection, type HttpReply, NoConnectionError } from "./http-connection.ts";
import { LoadConnection, RewrittenReplyError } from "./load-connection.ts";
import { orderNumber, type TradeRequest } from "./requests.ts";
import { revOfTag } from "./stock-tag.ts";

/** What was heard of one request, retries included. */
export interface Answer {
  /** Of the last attempt; 0: the connection was lost. */
  readonly status: number;
  /** Why there was no reply, or not the one that was asked for. */
  readonly reason: string;
  readonly attempts: number;
  /** The front-end of the last attempt. */
  readonly url: string;
  /** Monotonic; the end is that of the last attempt. */
  readonly startMs: number;
  readonly endMs: number;
}

export interface Reply extends Answer {
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  /** `undefined`: it isn't JSON. */
  readonly body: unknown;
  /** `false`: nobody could be reached, at no attempt. */
  readonly sent: boolean;
}

export interface TradeRecord extends Answer {
  readonly request: TradeRequest;
  /** When the trade was accepted. */
  readonly orderNumber: number | undefined;
  readonly replayed: boolean;
}

export interface StockRecord extends Answer {
  readonly name: string;
  /** What the reply tells; `undefined` where it doesn't. */
  readonly stock: { readonly name: string; readonly price: number; readonly quantity: number } | undefined;
  /** That of the `ETag`: the number of the last order that changed the stock. */
  readonly rev: number | undefined;
  /** `hit`, `miss` or `bypass`; empty where the server doesn't say. */
  readonly cache: string;
}

export interface OrderRecord extends Answer {
  readonly order: { number: number; name: string; type: OrderType; quantity: number } | undefined;
  readonly text: string;
}

/** Accepted, or rejected for a reason that the ledger keeps. */
export function isOutcome(status: number, reason: string): boolean {
  return (status === 200 && reason === "") || reason === "INSUFFICIENT_QUANTITY" || reason === "INVALID_STOCKNAME";
}

/** The connection was lost, or nobody answered in time: the same request is to be sent again. */
export function isUnknown(status: number): boolean {
  return status === 0 || status === 503;
}

/** Of a reply that isn't the one that was asked for: the bazaar's words, or in one line that no bazaar speaks like that. */
export function describeRefusal({ url, status, body, text }: Reply): string {
  return refusalOf(body) ?? `${url} answers what a bazaar would not: ${status} ${excerpt(text)}`.trimEnd();
}

/** What a bazaar says why it doesn't do what it was asked for; `undefined`: this isn't from a bazaar. */
export function refusalOf(body: unknown): string | undefined {
  const message = at(body, "error", "message");
  return typeof message === "string" ? message : undefined;
}

function excerpt(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().slice(0, excerptCharactersMax);
}

export interface BazaarClientOptions {
  /** Front-ends. */
  readonly urls: readonly string[];
  /** Which of them to begin with. */
  readonly first?: number;
  /** How long to send a request again that nobody answers; 0: once is all. Default: for ever. */
  readonly giveUpMs?: number;
  /** How long to wait for one reply; default: for ever. */
  readonly patienceMs?: number | undefined;
  /** It is measured, or one of many that load the bazaar: over the connection that costs least, where that can be. */
  readonly isLoad?: boolean;
}

const retryMs = 20;
/** Of what somebody else says, in a message. */
const excerptCharactersMax = 60;
const none: ReadonlyMap<string, string> = new Map();

export class BazaarClient {
  readonly #urls: readonly string[];
  readonly #giveUpMs: number;
  readonly #patienceMs: number | undefined;
  #at: number;
  /** No longer once a reply was rewritten on its way. */
  #isLoad: boolean;
  #connection: Connection;
  #closed = false;

  constructor({
    urls,
    first = 0,
    giveUpMs = Number.POSITIVE_INFINITY,
    patienceMs,
    isLoad = false,
  }: BazaarClientOptions) {
    this.#urls = urls;
    this.#giveUpMs = giveUpMs;
    this.#patienceMs = patienceMs;
    this.#at = first % urls.length;
    this.#isLoad = isLoad;
    this.#connection = this.#connect();
  }

  async trade(request: TradeRequest): Promise<TradeRecord> {
    const { key, ...wish } = request;
    const { body, headers, text, ...answer } = await this.request(
      "POST",
      "/orders",
      { "idempotency-key": key },
      JSON.stringify(wish),
    );
    const number = orderNumber(body);
    const reason =
      answer.status === 200 && number === undefined ? `no order number in ${excerpt(text)}` : answer.reason;
    const replayed = headers.get("idempotent-replayed") === "true";
    return { ...answer, reason, request, orderNumber: number, replayed };
  }

  async lookUp(name: string): Promise<StockRecord> {
    const { body, headers, text, ...answer } = await this.request("GET", `/stocks/${encodeURIComponent(name)}`);
    const stock = answer.status === 200 ? stockOf(at(body, "data")) : undefined;
    const reason = answer.status === 200 && stock === undefined ? `no stock in ${excerpt(text)}` : answer.reason;
    const rev = revOfTag(headers.get("etag"));
    return { ...answer, reason, name, stock, rev, cache: headers.get("x-cache") ?? "" };
  }

  async order(number: number): Promise<OrderRecord> {
    const { body, headers: _, ...answer } = await this.request("GET", `/orders/${number}`);
    const order = answer.status === 200 ? orderOf(at(body, "data")) : undefined;
    const reason = answer.status === 200 && order === undefined ? `no order in ${excerpt(answer.text)}` : answer.reason;
    return { ...answer, reason, order };
  }

  /** Ends with an answer, when it gives up, or when the client is closed. */
  async request(
    method: "GET" | "POST",
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body = "",
  ): Promise<Reply> {
    const startMs = performance.now();
    let sent = false;
    for (let attempts = 1; ; attempts += 1) {
      const url = this.#url;
      const heard = await this.#attempt(method, path, headers, body);
      const endMs = performance.now();
      sent ||= heard.sent;
      const reply = { ...heard, sent, attempts, url, startMs, endMs };
      if (!isUnknown(reply.status)) return reply;
      this.#another();
      await Bun.sleep(retryMs);
      if (this.#closed || endMs - startMs >= this.#giveUpMs) return reply;
    }
  }

  /** A request that is under way is given up. */
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
    this.#connection = this.#connect();
  }

  #connect(): Connection {
    const Kind = this.#isLoad ? LoadConnection : HttpConnection;
    return new Kind(this.#url, this.#patienceMs);
  }

  /** A rewritten reply is asked for once more, over the connection that reads it: a trade is done once for its key. */
  async #attempt(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<Heard> {
    try {
      return readReply(await this.#connection.request(method, path, headers, body));
    } catch (error) {
      if (error instanceof RewrittenReplyError && !this.#closed) {
        this.#isLoad = false;
        this.#connection = this.#connect();
        return this.#attempt(method, path, headers, body);
      }
      const reason = error instanceof Error ? error.message : String(error);
      const sent = !(error instanceof NoConnectionError);
      return { status: 0, reason, headers: none, text: "", body: undefined, sent };
    }
  }
}

/** What one attempt knows of a reply. */
type Heard = Pick<Reply, "status" | "reason" | "headers" | "text" | "body" | "sent">;

function readReply(reply: HttpReply): Heard {
  const parsed = parseJson(reply.text);
  const reason = at(parsed, "error", "reason");
  return { ...reply, reason: typeof reason === "string" ? reason : "", body: parsed, sent: true };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function stockOf(data: unknown): StockRecord["stock"] {
  const { name, price, quantity } = fields(data);
  const isStock = typeof name === "string" && typeof price === "number" && typeof quantity === "number";
  return isStock ? { name, price, quantity } : undefined;
}

function orderOf(data: unknown): OrderRecord["order"] {
  const { number, name, type, quantity } = fields(data);
  const isType = type === "buy" || type === "sell" || type === "restock";
  if (typeof number !== "number" || typeof name !== "string" || !isType || typeof quantity !== "number")
    return undefined;
  return { number, name, type, quantity };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
