/**
 * Example requests of an operation: the one that an API viewer sends by default, those that select an item by query,
 * and those that fail.
 */

import type { Access } from "@stock-bazaar/contract/access";
import type { FailureReason } from "@stock-bazaar/contract/reasons";
import { at } from "@stock-bazaar/shared/json";
import type { DocumentedOperation, Parameter } from "./document-types.ts";
import { jsonType } from "./reply.ts";

export interface ExampleRequest {
  /** A name without spaces, unique among the requests. */
  readonly id: string;
  readonly title: string;
  readonly access: Access;
  readonly method: string;
  /** Includes the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Indented JSON; `undefined` for a request without a body. */
  readonly body: string | undefined;
}

/** Values that replace the examples of parameters or of fields of the body. */
type Values = Readonly<Record<string, string | number>>;

/** How the body of a request differs from the example. */
interface OtherBody {
  /** A field of the example to leave out. */
  readonly without?: string;
  readonly contentType?: string;
}

/** Queries that select one item, in an operation that otherwise lists them. */
const otherWays: readonly Values[] = [{ stockname: "GameStart" }, { "order-number": 1 }];

interface FailingExample extends OtherBody {
  readonly why: string;
  readonly values: Values;
  /** Only for operations with a failure of this reason: dropping an unknown stock from the cache succeeds. */
  readonly reason?: FailureReason;
}

const failures: readonly FailingExample[] = [
  { why: "no such stock", values: { name: "NoSuchStock" }, reason: "INVALID_STOCKNAME" },
  { why: "no such stock", values: { stockname: "NoSuchStock" }, reason: "INVALID_STOCKNAME" },
  { why: "no such order", values: { number: 999_999_999 }, reason: "INVALID_ORDERNUMBER" },
  { why: "no such order", values: { "order-number": 999_999_999 }, reason: "INVALID_ORDERNUMBER" },
  { why: "not a number", values: { number: "first" } },
  { why: "not a number", values: { "order-number": "first" } },
  { why: "too little stock", values: { quantity: 2_000_000_000 } },
  { why: "quantity is 0", values: { quantity: 0 } },
  { why: "unknown type", values: { type: "borrow" } },
  { why: "a field is missing", values: {}, without: "quantity" },
  { why: "wrong Content-Type", values: {}, contentType: "text/plain" },
];

export function exampleRequests(operation: DocumentedOperation): ExampleRequest[] {
  const { operationId, summary } = operation;
  const variant = (words: string, values: Values, other: OtherBody = {}) =>
    isAbout(operation, values, other)
      ? [requestWith(operation, `${operationId}: ${words}`, `${summary}: ${words}`, values, other)]
      : [];
  return [
    exampleRequest(operation),
    ...otherWays.flatMap((values) => variant(`by ${Object.keys(values).join()}`, values)),
    ...failures
      .filter(({ reason }) => reason === undefined || documentedReasons(operation).has(reason))
      .flatMap(({ why, values, ...other }) => variant(`fails, ${why}`, values, other)),
  ];
}

/** Returns the request that is made from the examples alone. */
export function exampleRequest(operation: DocumentedOperation): ExampleRequest {
  return requestWith(operation, operation.operationId, operation.summary, {});
}

function isAbout(
  { tags, parameters = [], requestBody }: DocumentedOperation,
  values: Values,
  other: OtherBody,
): boolean {
  const { without, contentType } = other;
  const fields = Object.keys(requestBody?.content[jsonType]?.example ?? {});
  const named = parameters.filter(selectsItem).map(({ name }) => name);
  if (without !== undefined && !fields.includes(without)) return false;
  if (contentType !== undefined && requestBody === undefined) return false;
  return tags[0] !== "Operations" && Object.keys(values).every((name) => named.includes(name) || fields.includes(name));
}

/** Returns the reasons of all documented failures, of every status: a dialect may reply to a failure with 200. */
function documentedReasons({ responses }: DocumentedOperation): ReadonlySet<unknown> {
  const examples = Object.values(responses).flatMap(({ content }) =>
    Object.values(content?.[jsonType]?.examples ?? {}),
  );
  return new Set(examples.map(({ value }) => at(value, "error", "reason")));
}

/** Whether the parameter selects an item. A query parameter with an example limits a list instead. */
function selectsItem(parameter: Parameter): boolean {
  return parameter.in === "path" || (parameter.in === "query" && parameter.example === undefined);
}

function requestWith(
  operation: DocumentedOperation,
  name: string,
  title: string,
  values: Values,
  { without, contentType = jsonType }: OtherBody = {},
): ExampleRequest {
  const { method, path, parameters = [], requestBody } = operation;
  const asksByQuery = parameters.some((parameter) => parameter.in === "query" && parameter.name in values);
  const given = parameters.flatMap((parameter) => {
    const listed = asksByQuery && parameter.in === "query" ? undefined : parameter.example;
    const value = values[parameter.name] ?? listed;
    return value === undefined ? [] : [{ ...parameter, value: String(value) }];
  });
  const filled = given
    .filter((parameter) => parameter.in === "path")
    .reduce((url, { name: part, value }) => url.replace(`{${part}}`, encodeURIComponent(value)), path);
  const query = given
    .filter((parameter) => parameter.in === "query")
    .map(({ name: part, value }) => `${encodeURIComponent(part)}=${encodeURIComponent(value)}`)
    .join("&");
  const headers = given.filter((parameter) => parameter.in === "header").map(({ name: part, value }) => [part, value]);
  const example = requestBody?.content[jsonType]?.example;
  const isSent = ([field]: [string, unknown]) => field !== without;
  return {
    id: name.replace(/[^A-Za-z0-9]+(\w)/g, (_, letter: string) => letter.toUpperCase()),
    title,
    access: operation["x-access"],
    method: method.toUpperCase(),
    path: query === "" ? filled : `${filled}?${query}`,
    headers: Object.fromEntries(example === undefined ? headers : [["Content-Type", contentType], ...headers]),
    body:
      example === undefined
        ? undefined
        : JSON.stringify(Object.fromEntries(Object.entries({ ...example, ...values }).filter(isSent)), undefined, 2),
  };
}
