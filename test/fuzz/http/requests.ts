/**
 * Arbitrary HTTP requests for the routes of a dialect, as bytes: valid ones, those that are wrong in one place, and wild
 * ones. Their framing is always right, so each must be answered; `bytes.ts` breaks it.
 */

import type { DialectName } from "@stock-bazaar/contract/dialects";
import fc from "fast-check";
import { freshKey, oddNumbers, oddTexts, repeatedKey, stockName, stockNames, wildText } from "../texts.ts";
import { type FuzzedRoute, routesOf } from "./routes.ts";

type Header = readonly [name: string, value: string];

const methods = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"] as const;

/** A path segment or a query value. Mostly encoded as a client does it, else as far as a request line allows. */
function encoded(text: string, isRaw: boolean): string {
  if (!isRaw && text.isWellFormed()) return encodeURIComponent(text);
  return latin1(text).replace(/[^\x21-\x7e]|[#?]/g, (byte) => `%${hex(byte)}`);
}

/** UTF-8, each byte as one character. A lone surrogate becomes U+FFFD. */
export function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function hex(byte: string): string {
  return byte.charCodeAt(0).toString(16).padStart(2, "0");
}

const orderNumber = fc.oneof(
  fc.integer({ min: 1, max: 2000 }).map(String),
  fc.constantFrom(...oddNumbers).map(String),
  wildText,
);

const pathValue = fc.oneof({ weight: 3, arbitrary: stockName }, { weight: 2, arbitrary: orderNumber });

const queryValue = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("1", "10", "50", "1000", "1001", "0", ...stockNames) },
  { weight: 2, arbitrary: orderNumber },
);

const isRaw = fc.integer({ min: 0, max: 9 }).map((draw) => draw === 0);

function path(route: FuzzedRoute): fc.Arbitrary<string> {
  const segments = route.path
    .split("/")
    .map((segment) =>
      segment.startsWith(":")
        ? fc.tuple(pathValue, isRaw).map(([value, raw]) => encoded(value, raw))
        : fc.constant(segment),
    );
  const plain = fc.tuple(...segments).map((parts) => parts.join("/"));
  return fc.oneof(
    { weight: 12, arbitrary: plain },
    { weight: 1, arbitrary: plain.map((text) => `${text}/`) },
    { weight: 1, arbitrary: fc.tuple(plain, wildText).map(([text, extra]) => `${text}/${encoded(extra, true)}`) },
    { weight: 1, arbitrary: wildText.map((text) => `/${encoded(text, true)}`) },
  );
}

function query({ queries }: FuzzedRoute): fc.Arbitrary<string> {
  const name =
    queries.length === 0 ? wildText : fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...queries) }, wildText);
  const pair = fc
    .tuple(name, queryValue, isRaw)
    .map(([key, value, raw]) => `${encoded(key, raw)}=${encoded(value, raw)}`);
  const pairs = fc.array(pair, { maxLength: 3 }).map((list) => (list.length === 0 ? "" : `?${list.join("&")}`));
  return queries.length === 0 ? fc.oneof({ weight: 9, arbitrary: fc.constant("") }, pairs) : pairs;
}

const typeOfTrade = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("buy", "sell") },
  { weight: 1, arbitrary: fc.constantFrom("BUY", "Sell", "buY", "restock", "hold") },
  { weight: 1, arbitrary: wildText },
);

const quantity = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 5 }) },
  { weight: 1, arbitrary: fc.constantFrom(...oddNumbers) },
);

const wildValue = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(null, true, [], {}, [1], { $gt: 0 }, "1", "1.0", ...oddNumbers, ...oddTexts),
);

/** JSON that no `JSON.stringify` writes. */
const oddJson = fc.constantFrom(
  "",
  "{",
  "[",
  "null",
  "0",
  '"',
  "{}",
  "[]",
  '{"name":"GameStart","quantity":1e999,"type":"buy"}',
  '{"name":"GameStart","quantity":-0,"type":"buy"}',
  '{"name":"GameStart","name":"FishCo","quantity":1,"quantity":2,"type":"buy"}',
  '{"name":"\\ud800","quantity":1,"type":"buy"}',
  '{"name":"\\u0000","quantity":1,"type":"sell"}',
  '{"__proto__":{"name":"GameStart"},"quantity":1,"type":"buy"}',
  '{"name":"GameStart","quantity":1,"type":"buy"} ',
  '{"name":"GameStart","quantity":1,"type":"buy"}}',
  "\ufeff{}",
  "[".repeat(2000),
  `${"[".repeat(2000)}${"]".repeat(2000)}`,
  `{"name":"${"a".repeat(70_000)}","quantity":1,"type":"buy"}`,
);

/** The bodies for a route that takes one, in Latin-1. */
function bodyOf(example: Readonly<Record<string, unknown>>): fc.Arbitrary<string> {
  const fields = Object.keys(example);
  const valueOf = (field: string): fc.Arbitrary<unknown> => {
    if (field === "name") return stockName;
    if (field === "quantity") return quantity;
    return field === "type" ? typeOfTrade : wildValue;
  };
  const usual = fc.record(Object.fromEntries(fields.map((field) => [field, valueOf(field)])));
  const wrongInOne = fc
    .tuple(usual, fc.constantFrom(...fields, "extra"), wildValue)
    .map(([body, field, value]) => ({ ...body, [field]: value }));
  const without = fc
    .tuple(usual, fc.constantFrom(...fields))
    .map(([body, left]) => Object.fromEntries(Object.entries(body).filter(([field]) => field !== left)));
  const json = (values: fc.Arbitrary<unknown>) => values.map((value) => JSON.stringify(value) ?? "");
  return fc
    .oneof(
      { weight: 10, arbitrary: json(usual) },
      { weight: 4, arbitrary: json(wrongInOne) },
      { weight: 2, arbitrary: json(without) },
      { weight: 1, arbitrary: json(wildValue) },
      { weight: 1, arbitrary: oddJson },
      { weight: 1, arbitrary: wildText },
      { weight: 1, arbitrary: json(usual).map((text) => text.slice(0, text.length / 2)) },
    )
    .map(latin1);
}

const contentType = fc.oneof(
  { weight: 12, arbitrary: fc.constant("application/json") },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "application/json; charset=utf-8",
      "Application/JSON",
      "application/json;",
      "application/problem+json",
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "*/*",
      "",
    ),
  },
  { weight: 1, arbitrary: wildText.map(headerValue) },
);

/** Other headers that the front-end reads, each with values from right to wild. */
const otherHeaders: Readonly<Record<string, readonly string[]>> = {
  accept: ["*/*", "text/html", "application/json;q=0"],
  authorization: ["Bearer", "Bearer x", "Bearer fuzz-token", "bearer  fuzz-token ", "Basic Zm9vOmJhcg==", "Bearer a b"],
  connection: ["keep-alive", "close", "keep-alive, x"],
  expect: ["100-continue", "100-Continue", "200-ok"],
  forwarded: ["for=192.0.2.1", 'for="[2001:db8::1]:99";proto=https', "for=;for=", "for=unknown, for=_x", ",,,"],
  "if-none-match": ["*", '""', "W/", 'W/"a", "b"', '"1-0"'],
  "last-event-id": ["0", "1", "-1", "x", "9007199254740993"],
  origin: ["null", "http://localhost:8080", "https://pages.example", "://", "http://[::1"],
  "access-control-request-method": ["POST", "get", ""],
  "access-control-request-headers": ["content-type", "x, y", ","],
  "sec-fetch-site": ["same-origin", "cross-site", ""],
  traceparent: ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0-0-0", "ff"],
  "x-forwarded-for": ["192.0.2.1", "192.0.2.1, 127.0.0.1", "::ffff:192.0.2.1", "999.1.1.1:80", "[::1]:8"],
  "user-agent": ["fuzz", ""],
};

function headerValue(text: string): string {
  return latin1(text).replace(/[^\t\x20-\x7e\x80-\xff]/g, "?");
}

const otherHeader: fc.Arbitrary<Header> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .constantFrom(...Object.entries(otherHeaders))
      .chain(([name, values]) => fc.tuple(fc.constant(name), fc.constantFrom(...values))),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(...Object.keys(otherHeaders), "x-other"), wildText.map(headerValue)),
  },
);

const idempotencyKey: fc.Arbitrary<readonly Header[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  { weight: 3, arbitrary: freshKey.map((key) => [["idempotency-key", key] as const]) },
  { weight: 3, arbitrary: repeatedKey.map((key) => [["Idempotency-Key", key] as const]) },
  { weight: 1, arbitrary: wildText.map((text) => [["idempotency-key", headerValue(text)] as const]) },
);

/** With an id that fits, the reply must repeat it: a reply to another request would show. */
const requestId: fc.Arbitrary<readonly Header[]> = fc.oneof(
  { weight: 9, arbitrary: fc.uuid().map((id) => [["x-request-id", id] as const]) },
  { weight: 1, arbitrary: wildText.map((text) => [["x-request-id", headerValue(text)] as const]) },
  { weight: 1, arbitrary: fc.constant([]) },
);

const noBody = fc.constant(undefined);

function request(route: FuzzedRoute): fc.Arbitrary<string> {
  const body =
    route.body === undefined ? fc.oneof({ weight: 15, arbitrary: noBody }, wildText.map(latin1)) : bodyOf(route.body);
  return fc
    .record({
      method: fc.oneof({ weight: 12, arbitrary: fc.constant(route.method) }, fc.constantFrom(...methods)),
      path: path(route),
      query: query(route),
      body: fc.oneof({ weight: 15, arbitrary: body }, noBody),
      type: contentType,
      key: idempotencyKey,
      id: requestId,
      others: fc.array(otherHeader, { maxLength: 3 }),
      isChunked: isRaw,
    })
    .map(({ method, path, query, body, type, key, id, others, isChunked }) =>
      rendered(
        method,
        `${path.startsWith("/") ? path : `/${path}`}${query}`,
        body,
        [...(body === undefined ? [] : [["content-type", type] as const]), ...key, ...id, ...others],
        isChunked,
      ),
    );
}

function rendered(
  method: string,
  target: string,
  body: string | undefined,
  headers: readonly Header[],
  isChunked: boolean,
): string {
  // The client waits for no 100, and a reply to HEAD can't be told from one with a body by its bytes alone.
  const lines = [["host", "127.0.0.1"] as const, ...headers].map(([name, value]) => `${name}: ${value}`);
  const framed =
    body === undefined
      ? { header: [], content: "" }
      : isChunked
        ? { header: ["transfer-encoding: chunked"], content: chunked(body) }
        : { header: [`content-length: ${body.length}`], content: body };
  return `${method} ${target} HTTP/1.1\r\n${[...lines, ...framed.header].join("\r\n")}\r\n\r\n${framed.content}`;
}

function chunked(body: string): string {
  const half = Math.ceil(body.length / 2);
  const chunks = [body.slice(0, half), body.slice(half)].filter((chunk) => chunk !== "");
  return `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("")}0\r\n\r\n`;
}

const made = new Map<DialectName, fc.Arbitrary<string>>();

/** Requests for one dialect; what takes long is asked for rarely. */
export function requestsOf(dialect: DialectName): fc.Arbitrary<string> {
  const known = made.get(dialect);
  if (known) return known;
  const weighted = routesOf(dialect).map((route) => ({
    weight: route.isDear ? 2 : route.body === undefined ? 20 : 150,
    arbitrary: request(route),
  }));
  const arbitrary = fc.oneof(...weighted);
  made.set(dialect, arbitrary);
  return arbitrary;
}
