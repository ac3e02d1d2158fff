/**
 * A client of the bazaar that retries as the HTTP contract requires. Without an answer, or after a 503, the outcome of
 * a request is unknown: the client sends it again to the next front-end, a trade with the same key. It sends one
 * request at a time over one keep-alive connection.
 */

import { cacheHeader, idempotencyKeyHeader, replayedHeader } from "@stock-bazaar/contract/headers";
import type { Cluster } from "@stock-bazaar/contract/replies";
import { revOfTag } from "@stock-bazaar/contract/stock-tag";
import type { OrderType } from "@stock-bazaar/shared/domain";
import { clientTokenVariable } from "@stock-bazaar/process/client-token";
import { at } from "@stock-bazaar/shared/json";
import { type Connection, HttpConnection, type HttpReply, NoConnectionError } from "./http-connection.ts";
import { LoadConnection, RewrittenReplyError } from "./load-connection.ts";
import { orderNumber, type TradeRequest } from "./requests.ts";

/** The result of one request, after its retries. */
export interface Answer {
  /** Status of the last attempt; 0 if the connection was lost. */
  readonly status: number;
  /** Why there was no reply, or another one than expected. */
  readonly reason: string;
  readonly attempts: number;
  /** The front-end of the last attempt. */
  readonly url: string;
  /** Monotonic times: the start of the first attempt and the end of the last one. */
  readonly startMs: number;
  readonly endMs: number;
}

export interface Reply extends Answer {
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  /** The parsed body; `undefined` if it isn't JSON. */
  readonly body: unknown;
  /** `false` if no attempt could connect. */
  readonly sent: boolean;
}

export interface TradeRecord extends Answer {
  readonly request: TradeRequest;
  /** Set if the trade was accepted. */
  readonly orderNumber: number | undefined;
  readonly replayed: boolean;
}

export interface StockRecord extends Answer {
  readonly name: string;
  /** The stock in the reply; `undefined` if there is none. */
  readonly stock: { readonly name: string; readonly price: number; readonly quantity: number } | undefined;
  /** The stock's revision, from the `ETag`. */
  readonly rev: number | undefined;
  /** `hit`, `miss` or `bypass`; empty if the server doesn't send `x-cache`. */
  readonly cache: string;
}

export interface OrderRecord extends Answer {
  readonly order: { number: number; name: string; type: OrderType; quantity: number } | undefined;
  readonly text: string;
}

export interface ClusterRecord extends Reply {
  /** `undefined`: the reply isn't one that a bazaar gives. */
  readonly cluster: Cluster | undefined;
}

/** Whether the trade was accepted, or rejected for a reason that the ledger stores. */
export function isOutcome(status: number, reason: string): boolean {
  return (status === 200 && reason === "") || reason === "INSUFFICIENT_QUANTITY" || reason === "INVALID_STOCKNAME";
}

/** Whether the outcome is unknown (no answer, or 503), so that the same request must be sent again. */
export function isUnknown(status: number): boolean {
  return status === 0 || status === 503;
}

/** Describes a reply that isn't the expected one: the bazaar's error message, or one line if it isn't from a bazaar. */
export function describeRefusal({ url, status, body, text }: Reply): string {
  return refusalOf(body) ?? `${url} must answer like a bazaar (got ${`${status} ${excerpt(text)}`.trimEnd()})`;
}

/** The error message in a bazaar's reply; `undefined` if the reply isn't from a bazaar. */
export function refusalOf(body: unknown): string | undefined {
  const message = at(body, "error", "message");
  if (typeof message !== "string") return undefined;
  return at(body, "error", "code") === 401 ? `${message} (here: ${clientTokenVariable})` : message;
}

function excerpt(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().slice(0, excerptCharactersMax);
}

export interface BazaarClientOptions {
  /** The front-ends. */
  readonly urls: readonly string[];
  /** Index of the front-end to begin with. */
  readonly first?: number;
  /** How long to retry an unanswered request; 0 sends it once. Default: no limit. */
  readonly giveUpMs?: number;
  /** How long to wait for one reply; default: no limit. */
  readonly patienceMs?: number | undefined;
  /** Whether this client measures or puts load on the bazaar: it then uses the cheapest connection, if possible. */
  readonly isLoad?: boolean;
}

const retryMs = 20;
/** Above a rate limit. */
const tooMany = 429;
/** How much of a foreign reply to quote in a message. */
const excerptCharactersMax = 60;
const none: ReadonlyMap<string, string> = new Map();

export class BazaarClient {
  readonly #urls: readonly string[];
  readonly #giveUpMs: number;
  readonly #patienceMs: number | undefined;
  #at: number;
  /** Becomes `false` when a proxy has rewritten a reply. */
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
    const { key, ...trade } = request;
    const { body, headers, text, ...answer } = await this.request(
      "POST",
      "/orders",
      { [idempotencyKeyHeader]: key },
      JSON.stringify(trade),
    );
    const number = orderNumber(body);
    const reason =
      answer.status === 200 && number === undefined ? `no order number in ${excerpt(text)}` : answer.reason;
    const replayed = headers.get(replayedHeader) === "true";
    return { ...answer, reason, request, orderNumber: number, replayed };
  }

  async lookUp(name: string): Promise<StockRecord> {
    const { body, headers, text, ...answer } = await this.request("GET", `/stocks/${encodeURIComponent(name)}`);
    const stock = answer.status === 200 ? stockOf(at(body, "data")) : undefined;
    const reason = answer.status === 200 && stock === undefined ? `no stock in ${excerpt(text)}` : answer.reason;
    const rev = revOfTag(headers.get("etag"));
    return { ...answer, reason, name, stock, rev, cache: headers.get(cacheHeader) ?? "" };
  }

  async order(number: number): Promise<OrderRecord> {
    const { body, headers: _, ...answer } = await this.request("GET", `/orders/${number}`);
    const order = answer.status === 200 ? orderOf(at(body, "data")) : undefined;
    const reason = answer.status === 200 && order === undefined ? `no order in ${excerpt(answer.text)}` : answer.reason;
    return { ...answer, reason, order };
  }

  /** Asks for what the front-end knows of the bazaar. */
  async cluster(): Promise<ClusterRecord> {
    const reply = await this.request("GET", "/cluster");
    // Imported here: no other request needs zod, and programs that only trade or look up start without it.
    const { clusterReply } = await import("@stock-bazaar/contract/schemas");
    const parsed = reply.status === 200 ? clusterReply.safeParse(reply.body) : undefined;
    return { ...reply, cluster: parsed?.data?.data };
  }

  /** Resolves with an answer, or without one when the client gives up or is closed. */
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
      const result = await this.#attempt(method, path, headers, body);
      const endMs = performance.now();
      sent ||= result.sent;
      const reply = { ...result, sent, attempts, url, startMs, endMs };
      const isLimited = reply.status === tooMany;
      if (!isUnknown(reply.status) && !isLimited) return reply;
      // A limit counts at this front-end: another would refuse soon as well. Nothing was done.
      if (isLimited) await Bun.sleep(1000 * Number(result.headers.get("retry-after") ?? 1));
      else {
        this.#another();
        await Bun.sleep(retryMs);
      }
      if (this.#closed || endMs - startMs >= this.#giveUpMs) return reply;
    }
  }

  /** Abandons a request in flight. */
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

  /**
   * Sends the request once. After a rewritten reply it repeats it on a connection that can read it; the key makes that
   * safe.
   */
  async #attempt(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<AttemptResult> {
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

/** The part of a reply that comes from one attempt. */
type AttemptResult = Pick<Reply, "status" | "reason" | "headers" | "text" | "body" | "sent">;

function readReply(reply: HttpReply): AttemptResult {
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
