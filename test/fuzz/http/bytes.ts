/**
 * HTTP as no client sends it: requests that are valid but for some bytes, and bytes that never were a request. All
 * randomness is the seed's.
 */

import type { Random } from "@stock-bazaar/shared/random";
import type { BytesInput } from "../input.ts";

type Parts = readonly string[];

const controls = [
  "\0",
  "\x01",
  "\t",
  "\n",
  "\r",
  "\r\n",
  "\r\n\r\n",
  "\x0b",
  "\x1b",
  "\x7f",
  "\x80",
  "\xff",
  "\xc0\xaf",
];
const lengths = ["0", "-1", "1", "5", "+5", "0x10", "99999", "1e3", "18446744073709551616", "5, 5", " 5", "5 x", ""];
const chunkSizes = ["0", "1", "g", "-1", "ffffffff", "ffffffffffffffff", "00000005", "5;ext=1", " 5", "0x5"];
const versions = ["HTTP/1.0", "HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/9.9", "http/1.1", "HTTP/1.1 x", "HTTP", ""];
const requestLines = [
  "CONNECT 127.0.0.1:80 HTTP/1.1",
  "TRACE / HTTP/1.1",
  "OPTIONS * HTTP/1.1",
  "GET http://other.example/stocks HTTP/1.1",
  "GET //stocks HTTP/1.1",
  "GET stocks HTTP/1.1",
  "GET",
  "BREW /stocks HTTP/1.1",
  "get /stocks HTTP/1.1",
  `${"A".repeat(5000)} / HTTP/1.1`,
  "PRI * HTTP/2.0",
  "M-SEARCH * HTTP/1.1",
];
const hosts = [
  "",
  "a b",
  "[::1",
  "a:b:c",
  "127.0.0.1:99999999",
  "\xff\xfe",
  "a".repeat(300),
  "other.example",
  "/",
  "@",
];

/** The beginnings of other protocols. */
export const greetings = [
  // HTTP/2 without TLS, with empty settings.
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
  // A TLS hello, cut off.
  "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + "R".repeat(32) + "\x20" + "S".repeat(32),
  "SSH-2.0-OpenSSH_9.6\r\n",
  "EHLO there\r\n",
  "*1\r\n$4\r\nPING\r\n",
  "\0\0\0\x08\x04\xd2\x16\x2f",
  "GET /\r\n",
] as const;

function upgrade(protocol: string): string {
  return (
    `GET /events HTTP/1.1\r\nhost: x\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: ${protocol}\r\n` +
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\nhttp2-settings: AAMAAABk\r\n\r\n"
  );
}

export function randomBytes(random: Random, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(random.whole(0, 255))).join("");
}

function inHead(request: string, header: string): string {
  const end = request.indexOf("\r\n");
  return `${request.slice(0, end)}\r\n${header}${request.slice(end)}`;
}

function splice(random: Random, text: string, remove: number, insert: string): string {
  const at = random.whole(0, text.length);
  return text.slice(0, at) + insert + text.slice(at + remove);
}

type Mutation = (random: Random, request: string) => string;

/** Each breaks one thing. */
const mutations: readonly Mutation[] = [
  (random, request) => splice(random, request, 1, String.fromCharCode(random.whole(0, 255))),
  (random, request) => splice(random, request, random.whole(1, 20), ""),
  (random, request) => splice(random, request, 0, random.pick(controls)),
  (random, request) => splice(random, request, 0, randomBytes(random, random.whole(1, 60))),
  (random, request) => {
    const at = random.whole(0, request.length);
    return splice(random, request, 0, request.slice(at, at + random.whole(1, 80)));
  },
  (_random, request) => request.replaceAll("\r\n", "\n"),
  (random, request) => request.replace(/(content-length: )\d+/i, `$1${random.pick(lengths)}`),
  (random, request) => inHead(request, `content-length: ${random.pick(lengths)}`),
  (random, request) =>
    inHead(
      request,
      `transfer-encoding: ${random.pick(["chunked", "gzip, chunked", "identity", "chunked, x", "CHUNKED", ""])}`,
    ),
  (random, request) =>
    `${inHead(request, "transfer-encoding: chunked")}${random.pick(chunkSizes)}\r\nhello\r\n0\r\n\r\n`,
  (random, request) => request.replace(/HTTP\/1\.1/, random.pick(versions)),
  (random, request) => request.replace(/^[^\r]*/, random.pick(requestLines)),
  (random, request) => request.replace(/(host: )[^\r]*/i, `$1${random.pick(hosts)}`),
  (_random, request) => request.replace(/host: [^\r]*\r\n/i, ""),
  (random, request) => inHead(request, `x-large: ${"a".repeat(random.pick([1000, 8000, 16_300, 20_000, 100_000]))}`),
  (random, request) =>
    inHead(
      request,
      Array.from({ length: random.pick([50, 299, 300, 301, 2000]) }, (_, n) => `x-${n}: ${n}`).join("\r\n"),
    ),
  (random, request) => request.replace(" /", ` /${"b".repeat(random.pick([2000, 16_000, 40_000]))}`),
  (random, request) => inHead(request, `${random.pick(controls)}: x`),
  (random, request) => inHead(request, `x y${random.pick(controls)}z: ${random.pick(controls)}`),
  (random, request) => inHead(request, "expect: 100-continue"),
  (random, request) => request.slice(0, random.whole(0, request.length)),
  (random, request) => random.pick(greetings) + request,
];

function cut(random: Random, text: string): Parts {
  const places = Array.from({ length: random.whole(1, 4) }, () => random.whole(0, text.length)).sort((a, b) => a - b);
  return [...places, text.length].map((end, index) => text.slice(places[index - 1] ?? 0, end));
}

function mutated(random: Random, request: string): string {
  let text = request;
  for (let left = random.pick([1, 1, 1, 2, 3]); left > 0; left -= 1) text = random.pick(mutations)(random, text);
  return text;
}

/** Returns the parts for a connection; `request` makes a well-framed request for it. */
function connectionBytes(random: Random, request: () => string): Parts {
  switch (random.whole(0, 11)) {
    case 0:
      return [randomBytes(random, random.whole(0, 400))];
    case 1:
      return [random.pick(greetings) + randomBytes(random, random.whole(0, 100))];
    case 2:
      return [upgrade(random.pick(["websocket", "h2c", "x", ""]))];
    case 3:
      // Pipelined, and one of them broken.
      return [request(), mutated(random, request()), request()];
    case 4:
      return [Array.from({ length: random.whole(2, 20) }, request).join("")];
    case 5:
      return cut(random, request());
    case 6:
      return cut(random, mutated(random, request()));
    default:
      return [mutated(random, request())];
  }
}

export function httpBytes(random: Random, to: BytesInput["to"], request: () => string): BytesInput {
  const end = random.chance(0.1) ? "reset" : "close";
  return { kind: "bytes", to, parts: connectionBytes(random, request), end };
}
