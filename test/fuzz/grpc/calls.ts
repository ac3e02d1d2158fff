/** Arbitrary gRPC calls: each method with messages that are right, wrong in a field, or broken in their bytes. */

import fc from "fast-check";
import { freshKey, oddNumbers, repeatedKey, stockName, wildText } from "../texts.ts";
import type { Change, GrpcInput, GrpcMessage, GrpcService } from "../input.ts";
import { latin1 } from "../http/requests.ts";
import { type Field, type Fields, type FuzzedMethod, type MessageFields, methods } from "./methods.ts";

/** These move the lead. Each costs the bazaar a takeover, and most other calls need a leader. */
const rareMethods: ReadonlySet<string> = new Set(["Lead", "SetLeader", "Acquire"]);

const wholeNumbers = oddNumbers.filter((number) => Number.isSafeInteger(number) && number >= 0);

const uint64 = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>("@term", "@head", 0, 1) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 2000 }) },
  { weight: 1, arbitrary: fc.constantFrom(...wholeNumbers) },
);

const uint32 = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 100 }) },
  { weight: 1, arbitrary: fc.constantFrom(...wholeNumbers.filter((number) => number < 2 ** 32)) },
);

const trade = fc.record({
  key: fc.oneof({ weight: 3, arbitrary: freshKey }, { weight: 3, arbitrary: repeatedKey }, wildText),
  name: stockName,
  type: fc.oneof({ weight: 9, arbitrary: fc.constantFrom("buy", "sell") }, fc.constantFrom("restock", "BUY", "")),
  quantity: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 5 }) }, fc.constantFrom(...oddNumbers)),
  requestId: fc.oneof(freshKey, wildText),
});

const order = fc.record({
  id: fc.constantFrom<unknown>(0, 1, -1, 1.5, "1", null, 2 ** 53),
  key: wildText,
  name: stockName,
  type: fc.constantFrom("buy", "sell", "restock", "x"),
  quantity: fc.constantFrom(...oddNumbers),
  priceCents: fc.constantFrom(...oddNumbers),
  term: fc.constantFrom<unknown>(0, 1, "1", null),
  createdAt: wildText,
});

/** JSON that is no batch of rows. */
const oddBatch = fc.constantFrom(
  "[",
  "{}",
  "null",
  "0",
  "[]",
  "[null]",
  "[[]]",
  "[{}]",
  '"[]"',
  "[1,2]",
  " ",
  "\0",
  `[${"[".repeat(3000)}`,
  '[{"__proto__":{"key":"k"},"name":"FishCo","type":"buy","quantity":1,"requestId":"r"}]',
);

const batchText = (row: fc.Arbitrary<object>, rowsMax: number) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.array(row, { maxLength: rowsMax }).map((rows) => JSON.stringify(rows)) },
    { weight: 1, arbitrary: oddBatch },
    { weight: 1, arbitrary: wildText },
  );

const lastOrder = fc.oneof(
  { weight: 6, arbitrary: fc.constant("@last") },
  { weight: 2, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: batchText(order, 2) },
);

const tradesCall = fc
  .record({
    rows: fc.array(trade, { maxLength: 4 }),
    text: fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, batchText(trade, 3)),
    count: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, uint32),
    minted: fc.boolean(),
  })
  .map(({ rows, text, count, minted }) => ({
    trades: text ?? JSON.stringify(rows),
    count: count ?? rows.length,
    minted,
  }));

/** Fields whose name says more than their type. */
const byName: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  "ApplyRequest.term": fc.oneof({ weight: 3, arbitrary: fc.constant("@term") }, uint64),
  "RestockRequest.term": fc.oneof({ weight: 3, arbitrary: fc.constant("@term") }, uint64),
  "SetLeaderRequest.term": fc.constantFrom<unknown>(0, 1, "@term", "@term+1"),
  "AcquireRequest.term": fc.constantFrom<unknown>(0, "@term", "@term+1", 2 ** 53 - 1),
  "TailRequest.acked": fc.constantFrom<unknown>(0, "@head", 1, 2 ** 53 - 1),
  // Few: the catalog lists every front-end for ten minutes.
  "TailRequest.address": fc.constantFrom("", "fuzz:1", "fuzz:2", "\0", "a".repeat(300)),
  "TailRequest.leaseMs": fc.constantFrom(0, 50, 500),
  "TailRequest.session": fc.oneof(fc.constantFrom("", "fuzz-1", "fuzz-2"), freshKey),
  "FollowRequest.replica": fc.constantFrom(0, 1, 2, 3, 99, 2 ** 32 - 1),
  "FollowRequest.lastId": fc.constantFrom<unknown>(0, 1, "@head", 2 ** 53 - 1),
  "Seen.life": fc.oneof({ weight: 3, arbitrary: fc.constant("@life") }, wildText),
  "Seen.head": fc.constantFrom<unknown>(0, 1, "@head"),
};

function fieldsOf({ name, fields }: MessageFields): fc.Arbitrary<Fields> {
  if (name === "TradesCall") return tradesCall;
  return fc.record(Object.fromEntries(fields.map((field) => [field.name, valueOf(name, field)])));
}

function valueOf(message: string, field: Field): fc.Arbitrary<unknown> {
  if (field.isRepeated) return fc.array(single(message, field), { maxLength: 3 });
  if (field.message === undefined) return single(message, field);
  return fc.oneof({ weight: 4, arbitrary: single(message, field) }, fc.constant(undefined));
}

function single(message: string, { name, type, message: inner, values }: Field): fc.Arbitrary<unknown> {
  const special = byName[`${message}.${name}`];
  if (special) return special;
  if (name === "last") return lastOrder;
  if (name === "name" || name === "names" || name === "start" || name === "after") return stockName;
  if (inner) return fieldsOf(inner);
  switch (type) {
    case "bool":
      return fc.boolean();
    case "enum":
      return fc.constantFrom(...values);
    case "uint64":
      return uint64;
    case "uint32":
    case "int32":
      return uint32;
    default:
      return wildText;
  }
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.integer({ min: 0, max: 999 }).map((place) => place / 1000),
  remove: fc.constantFrom(0, 1, 1, 2, 8),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
    // Field tags with each wire type, and numbers that are too long.
    fc.constantFrom(
      "\x08",
      "\x09",
      "\x0a",
      "\x0b",
      "\x0c",
      "\x0d",
      "\x0f",
      "\x7a\xff",
      "\xff".repeat(9),
      "\xff".repeat(12),
    ),
  ),
});

function messageOf(method: FuzzedMethod): fc.Arbitrary<GrpcMessage> {
  const fields = fieldsOf(method.request);
  const bytes = fc.uint8Array({ maxLength: 60 }).map((list) => Buffer.from(list).toString("latin1"));
  return fc.oneof(
    { weight: 10, arbitrary: fields.map((values) => ({ fields: values })) },
    {
      weight: 6,
      arbitrary: fc.record({ fields, changes: fc.array(change, { minLength: 1, maxLength: 3 }) }),
    },
    { weight: 1, arbitrary: fc.record({ bytes }) },
    { weight: 1, arbitrary: fc.record({ fields, flag: fc.constantFrom(1, 2, 255) }) },
    { weight: 1, arbitrary: fc.record({ fields, length: fc.constantFrom(0, 1, 5, 1000, 2 ** 24 + 1, 2 ** 32 - 1) }) },
  );
}

const oddHeaders: fc.Arbitrary<Readonly<Record<string, string>>> = fc
  .array(
    fc
      .constantFrom<readonly [string, readonly string[]]>(
        ["bazaar-messages", ["", "0", "1", "3", "999", "x", "-1", "2, 2", "9".repeat(40)]],
        ["bazaar-name", ["", "catalog", "a".repeat(500), "\xe9"]],
        ["content-type", ["", "text/plain", "application/grpc+json", "application/grpc-web", "application/json"]],
        ["te", ["", "gzip"]],
        ["grpc-timeout", ["1n", "0S", "99999999H", "x", "1"]],
        ["grpc-encoding", ["gzip", "snappy", "identity", "x"]],
        ["grpc-accept-encoding", ["x", "gzip"]],
        [":method", ["GET", "PUT", "OPTIONS"]],
        ["x-other-bin", ["AAAA", "not base64!", "="]],
      )
      .chain(([name, values]) => fc.tuple(fc.constant(name), fc.constantFrom(...values))),
    { minLength: 1, maxLength: 2 },
  )
  .map((pairs) => Object.fromEntries(pairs));

const noHeaders = fc.constant<Readonly<Record<string, string>>>({});

const oddPaths = fc.constantFrom(
  "/",
  "",
  "/bazaar.v1.Catalog",
  "/bazaar.v1.Catalog/",
  "/bazaar.v1.Catalog/Nope",
  "/bazaar.v1.Catalog/constructor",
  "/bazaar.v1.Catalog/__proto__",
  "/bazaar.v1.Orders/apply",
  "/bazaar.v2.Catalog/Apply",
  "//bazaar.v1.Catalog/Apply",
  "/grpc.health.v1.Health/Check",
  "/grpc.health.v1.Health/Watch",
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
);

const catalog = fc.constant<GrpcService>("catalog");
const replica = fc.constantFrom<GrpcService>("order-1", "order-2", "order-3", "leader", "leader", "leader");
const end = fc.constantFrom<GrpcInput["end"]>("end", "end", "end", "cancel");

function callOf(method: FuzzedMethod): fc.Arbitrary<GrpcInput> {
  const messages = messageOf(method);
  return fc.record({
    kind: fc.constant("grpc" as const),
    to: method.service === "catalog" ? catalog : replica,
    path: fc.constant(method.path),
    headers: fc.oneof({ weight: 12, arbitrary: noHeaders }, oddHeaders),
    messages: method.takesStream
      ? fc.array(messages, { maxLength: 5 })
      : fc.oneof(
          { weight: 9, arbitrary: fc.array(messages, { minLength: 1, maxLength: 1 }) },
          fc.array(messages, { maxLength: 3 }),
        ),
    end,
  });
}

const strangeCall: fc.Arbitrary<GrpcInput> = fc.record({
  kind: fc.constant("grpc" as const),
  to: fc.oneof(catalog, replica),
  path: fc.oneof(
    { weight: 4, arbitrary: oddPaths },
    wildText.map((text) => `/${latin1(text).replace(/[^\x21-\x7e]/g, "_")}`),
  ),
  headers: fc.oneof(noHeaders, oddHeaders),
  messages: fc.array(fc.record({ bytes: wildText.map(latin1) }), { maxLength: 2 }),
  end,
});

export const calls: fc.Arbitrary<GrpcInput> = fc.oneof(
  ...methods.map((method) => ({ weight: rareMethods.has(method.name) ? 1 : 40, arbitrary: callOf(method) })),
  { weight: 30, arbitrary: strangeCall },
);
