/** Smaller inputs that may show the same fault: a person reads ten bytes sooner than four thousand. */

import type { BytesInput, GrpcInput, GrpcMessage, HttpInput, Input } from "./input.ts";

/** Faults that take long to show, like hangs, are shrunk for about this long. */
const shrinkMs = 60_000;

/** Returns the smallest input found that still `shows` the fault. */
export async function shrunk(input: Input, shows: (input: Input) => Promise<boolean>): Promise<Input> {
  const untilMs = performance.now() + shrinkMs;
  let smallest = input;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of smaller(smallest)) {
      if (performance.now() > untilMs) return smallest;
      if (!(await shows(candidate))) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
  return smallest;
}

/** The input with one thing less, largest things first. */
function smaller(input: Input): Input[] {
  switch (input.kind) {
    case "http":
      return smallerHttp(input);
    case "bytes":
      return smallerBytes(input);
    case "grpc":
      return smallerGrpc(input);
  }
}

function without<Entry>(list: readonly Entry[]): Entry[][] {
  return list.map((_, left) => list.filter((_, index) => index !== left));
}

/** Leaves out headers, and pieces of the body. */
function smallerHttp(input: HttpInput): HttpInput[] {
  const end = input.request.indexOf("\r\n\r\n");
  const [first = "", ...headers] = input.request.slice(0, end).split("\r\n");
  const body = input.request.slice(end + 4);
  const made = (kept: readonly string[], content: string): HttpInput => ({
    ...input,
    request: `${[first, ...kept].join("\r\n")}\r\n\r\n${content}`,
  });
  const removable = headers.filter((header) => !/^(?:host|content-length|transfer-encoding):/i.test(header));
  const fewer = removable.map((left) =>
    made(
      headers.filter((header) => header !== left),
      body,
    ),
  );
  const length = headers.find((header) => /^content-length:/i.test(header));
  if (length === undefined) return fewer;
  return [
    ...fewer,
    ...pieces(body).map((content) =>
      made(
        headers.map((header) => (header === length ? `content-length: ${content.length}` : header)),
        content,
      ),
    ),
  ];
}

function smallerBytes(input: BytesInput): BytesInput[] {
  const { parts } = input;
  return [
    ...without(parts),
    ...parts.flatMap((part, index) => pieces(part).map((piece) => parts.toSpliced(index, 1, piece))),
  ].map((fewer) => ({ ...input, parts: fewer }));
}

function smallerGrpc({ headers, ...input }: GrpcInput): GrpcInput[] {
  const { messages } = input;
  const kept = headers && Object.keys(headers).length > 0 ? { headers } : {};
  return [
    ...("headers" in kept ? [input] : []),
    ...without(messages).map((fewer) => ({ ...input, ...kept, messages: fewer })),
    ...messages.flatMap((message, index) =>
      smallerMessages(message).map((less) => ({ ...input, ...kept, messages: messages.toSpliced(index, 1, less) })),
    ),
  ];
}

function smallerMessages({ changes, ...message }: GrpcMessage): GrpcMessage[] {
  const { fields = {} } = message;
  const kept = changes === undefined ? {} : { changes };
  return [
    ...(changes === undefined ? [] : [message, ...without(changes).map((fewer) => ({ ...message, changes: fewer }))]),
    ...Object.entries(fields).flatMap(([name, value]) =>
      smallerValues(value).map((less) => ({ ...message, ...kept, fields: { ...fields, [name]: less } })),
    ),
  ];
}

function smallerValues(value: unknown): unknown[] {
  if (Array.isArray(value)) return without(value);
  if (typeof value === "string" && value !== "") return ["", ...(value.startsWith("@") ? [] : pieces(value))];
  return typeof value === "number" && value !== 0 ? [0] : [];
}

/** The text without one of its pieces: halves first, single characters only of a short text. */
function pieces(text: string): string[] {
  const found: string[] = [];
  for (let size = Math.ceil(text.length / 2); size >= Math.max(1, text.length / 64); size = Math.floor(size / 2)) {
    for (let at = 0; at < text.length; at += size) found.push(text.slice(0, at) + text.slice(at + size));
  }
  return found;
}
