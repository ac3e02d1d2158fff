/**
 * A client of the app, without a socket. It checks every reply for what the contract promises of all replies, so each
 * test of a route tests that as well.
 */

import { createApp, createEventFeed } from "@stock-bazaar/front-end/app";
import { createMetrics } from "@stock-bazaar/front-end/http/metrics";
import type { Bazaar } from "@stock-bazaar/front-end/bazaar";
import type { Dialect } from "@stock-bazaar/front-end/dialects/dialect";
import type { Faults } from "@stock-bazaar/front-end/faults";
import type { Admission } from "@stock-bazaar/front-end/http/admission";
import type { Tokens } from "@stock-bazaar/front-end/http/tokens";
import { type Logger, silentLogger } from "@stock-bazaar/process/log";
import { expect } from "vitest";
import type { InProcessOptions } from "../../support/in-process.ts";
import { createTestBazaar, type TestBazaar } from "./bazaar.ts";
import { EventReader } from "./event-reader.ts";

/** The body of a request: text, bytes, or a stream of bytes. */
export type Body = NonNullable<RequestInit["body"]>;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The JSON in `text`; `undefined` if it isn't JSON. */
  readonly body: unknown;
}

export interface TestClient {
  readonly bazaar: Bazaar;
  send(method: string, path: string, init?: { headers?: Record<string, string>; body?: Body }): Promise<Answer>;
  /** Returns the Response itself, for a stream. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** Opens `GET /events`, with `lastEventId` as `Last-Event-ID` if it is given. */
  events(lastEventId?: number, query?: string): Promise<EventReader>;
  /** Sends JSON, with the headers that a real client sends. */
  post(path: string, value: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Makes a client of another app on the same bazaar; only the first client needs to be closed. */
  beside(options: ClientOptions): TestClient;
  close(): Promise<void>;
}

export interface ClientOptions {
  /** Three stocks if absent. */
  readonly stocks?: InProcessOptions["stocks"];
  readonly dialect?: Dialect;
  /** Replacements for calls of the bazaar. */
  readonly changes?: Partial<Bazaar>;
  readonly logger?: Logger;
  /** A supervisor that accepts faults. */
  readonly faults?: Faults;
  readonly admit?: Admission;
  readonly tokens?: () => Tokens;
  readonly corsOrigins?: readonly string[];
  readonly requestsMax?: number;
  readonly listenersMax?: number;
  readonly stopping?: AbortSignal;
}

export async function createTestClient(options: ClientOptions = {}): Promise<TestClient> {
  return clientOf(await createTestBazaar(options.stocks), options);
}

function clientOf({ bazaar: whole, close }: TestBazaar, options: ClientOptions): TestClient {
  const {
    changes,
    logger = silentLogger,
    faults,
    dialect,
    admit,
    tokens,
    corsOrigins,
    requestsMax,
    listenersMax,
    stopping,
  } = options;
  const bazaar = changes === undefined ? whole : withChanges(whole, changes);
  const metrics = createMetrics();
  const app = createApp({
    bazaar,
    logger,
    faults,
    metrics,
    ...(listenersMax !== undefined && { events: createEventFeed({ bazaar, metrics, faults, listenersMax }) }),
    ...(requestsMax !== undefined && { requestsMax }),
    ...(dialect && { dialect }),
    ...(admit && { admit }),
    ...(stopping && { stopping }),
    ...(tokens && { tokens }),
    ...(corsOrigins && { corsOrigins }),
  });
  const send: TestClient["send"] = async (method, path, init = {}) => {
    const response = await app.request(path, { method, ...init });
    return readAnswer(response, method);
  };
  return {
    bazaar,
    send,
    fetch: async (path, init) => app.request(path, init),
    get: (path, headers = {}) => send("GET", path, { headers }),
    async events(lastEventId, query = "") {
      const headers = lastEventId === undefined ? {} : { "last-event-id": String(lastEventId) };
      return new EventReader(await app.request(`/events${query}`, { headers }));
    },
    post(path, value, headers = {}) {
      const body = JSON.stringify(value);
      const contentLength = String(Buffer.byteLength(body));
      return send("POST", path, {
        headers: { "content-type": "application/json", "content-length": contentLength, ...headers },
        body,
      });
    },
    beside: (others) => clientOf({ bazaar: whole, close: async () => {} }, others),
    close,
  };
}

/** Returns the bazaar with some of its calls replaced. */
export function withChanges(bazaar: Bazaar, changes: Partial<Bazaar>): Bazaar {
  return {
    lookup: (name) => bazaar.lookup(name),
    lookupCached: (name) => bazaar.lookupCached(name),
    // A hit would hide the replaced lookup.
    peekCached: (name) => (changes.lookup === undefined ? bazaar.peekCached(name) : undefined),
    dropCached: (name) => bazaar.dropCached(name),
    stocks: (request) => bazaar.stocks(request),
    stocksNamed: (names) => bazaar.stocksNamed(names),
    trade: (trade, minted) => bazaar.trade(trade, minted),
    order: (id) => bazaar.order(id),
    orders: (request) => bazaar.orders(request),
    cluster: () => bazaar.cluster(),
    ...changes,
  };
}

/** Reads a reply, and checks what every reply must have. */
export async function readAnswer(response: Response, method = "GET"): Promise<Answer> {
  const text = await response.text();
  const headers = Object.fromEntries(response.headers);
  expect(headers["content-type"]).toMatch(
    /^(application\/json$|text\/(plain|html|css|javascript);|text\/event-stream$)/,
  );
  // A stream's length isn't known.
  if (headers["content-type"] === "text/event-stream") expect(headers["content-length"]).toBeUndefined();
  else expect(headers["content-length"]).toMatch(/^\d+$/);
  if (method === "HEAD" || response.status === 304) expect(text).toBe("");
  else expect(headers["content-length"]).toBe(String(Buffer.byteLength(text)));
  expect(headers["x-request-id"]).toMatch(/^[\x21-\x7e]{1,128}$/);
  const isJson = headers["content-type"] === "application/json" && text !== "";
  const body: unknown = isJson ? JSON.parse(text) : undefined;
  return { status: response.status, headers, text, body };
}

/** Checks the whole envelope of a failure. */
export function expectFailure(answer: Answer, code: number, message: string, reason: string): void {
  expect(answer.body).toEqual({ error: { code, message, reason } });
  expect(answer.status).toBe(code);
  expect(answer.headers["content-type"]).toBe("application/json");
}

/** The number of the order in a reply of `POST /orders`. */
export function orderNumberIn(answer: Answer): number {
  const { body } = answer;
  expect(body).toEqual({ data: { transaction_number: expect.any(Number) } });
  return (body as { data: { transaction_number: number } }).data.transaction_number;
}

export async function quantityOf(client: TestClient, name: string): Promise<number> {
  const { body } = await client.get(`/stocks/${name}`);
  return (body as { data: { quantity: number } }).data.quantity;
}

/** Names that no stock has. */
export const strangeNames: readonly [string, string][] = [
  ["a prototype's key", "__proto__"],
  ["an object's method", "constructor"],
  ["SQL", "'; DROP TABLE stocks; --"],
  ["SQL that is always true", "GameStart' OR '1'='1"],
  ["an emoji", "🚀"],
  ["another case", "gamestart"],
  ["a space at the end", "GameStart "],
  ["a NUL at the end", "GameStart\0"],
  ["a NUL", "\0"],
  ["markup", "<script>alert(1)</script>"],
  ["a path", "../../etc/passwd"],
  ["the longest that may exist", "x".repeat(255)],
  ["one longer than any", "x".repeat(256)],
  ["10 kB", "x".repeat(10_240)],
  ["10 kB that are 3 bytes each in UTF-8", "€".repeat(3_413)],
];
