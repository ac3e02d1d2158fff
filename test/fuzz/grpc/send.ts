/**
 * Sends gRPC calls over HTTP/2 sessions that many calls share, and checks their status and replies. Returns a sentence for
 * each fault.
 */

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
import { messagesVersion } from "@stock-bazaar/proto/version";
import { changed, type GrpcInput, type GrpcMessage } from "../input.ts";
import { deadlineMs, type Sending } from "../http/send.ts";
import { tracesIn } from "../oracles.ts";
import { filledIn, type Live } from "./live.ts";
import { type FuzzedMethod, methodAt } from "./methods.ts";
import { tripwireIn } from "./tripwires.ts";

/**
 * The statuses that a service may answer with. Not among them: UNKNOWN (2), which grpc-js sends for an exception in a
 * handler, and INTERNAL (13), but for messages that aren't protobuf and framing errors, which grpc-js reports so.
 */
const allowed: ReadonlyMap<number, string> = new Map([
  [0, "OK"],
  [1, "CANCELLED"],
  [3, "INVALID_ARGUMENT"],
  [4, "DEADLINE_EXCEEDED"],
  [5, "NOT_FOUND"],
  [8, "RESOURCE_EXHAUSTED"],
  [9, "FAILED_PRECONDITION"],
  [10, "ABORTED"],
  [12, "UNIMPLEMENTED"],
  [14, "UNAVAILABLE"],
]);

const ofGrpcItself =
  /^(?:Error deserializing request|Invalid grpc-timeout value|Received RST_STREAM|Message framing|Unknown compression|Invalid compression|Compressed message|Received message must be|Failed to decompress)/i;

/**
 * How long a stream may stay open that grpc-js ends by itself, after a message that it can't read or its deadline; then its
 * caller cancels it. If the service writes to the stream at that moment, no trailers arrive. No service sends either.
 */
const refusedMs = 1000;
/** How long a stream that answers without an end is left open after the client's messages. No verdict depends on it. */
const graceMs = 20;
/** `Watch` sends statuses for as long as its caller listens. */
const endless = "/Watch";

export class GrpcSessions {
  readonly #sessions = new Map<number, ClientHttp2Session>();

  of(port: number): ClientHttp2Session {
    const kept = this.#sessions.get(port);
    if (kept && !kept.closed && !kept.destroyed) return kept;
    const session = connect(`http://127.0.0.1:${port}`);
    // The streams report it too.
    session.on("error", () => {});
    session.on("goaway", () => session.close());
    this.#sessions.set(port, session);
    return session;
  }

  close(): void {
    for (const session of this.#sessions.values()) session.destroy();
    this.#sessions.clear();
  }
}

interface CallEnd {
  readonly status: number | undefined;
  readonly httpStatus: number | undefined;
  readonly details: string;
  readonly code: string;
  readonly data: Buffer;
}

/** A message with its prefix. */
function framed(message: GrpcMessage, method: FuzzedMethod | undefined, live: Live): Buffer {
  const encoded = encodedMessage(message, method, live);
  const frame = Buffer.alloc(5 + encoded.length);
  frame.writeUInt8(message.flag ?? 0);
  frame.writeUInt32BE(message.length ?? encoded.length, 1);
  frame.set(encoded, 5);
  return frame;
}

/** Returns the message with its changes, or without them, or nothing: the first of them that is no tripwire. */
function encodedMessage(
  { fields, bytes = "", changes }: GrpcMessage,
  method: FuzzedMethod | undefined,
  live: Live,
): Buffer {
  const whole = fields && method ? method.encode(filledIn(fields, live)) : Buffer.from(bytes, "latin1");
  const broken = Buffer.from(changed(whole.toString("latin1"), changes), "latin1");
  return [broken, whole].find((encoded) => isHarmless(encoded, method, live)) ?? Buffer.alloc(0);
}

function isHarmless(encoded: Buffer, method: FuzzedMethod | undefined, live: Live): boolean {
  if (method === undefined) return true;
  try {
    return tripwireIn(method.name, method.decode(encoded), live) === undefined;
  } catch {
    // It can't be decoded there, either.
    return true;
  }
}

export async function sendGrpc(
  input: GrpcInput,
  sessions: GrpcSessions,
  live: Live,
  { portOf, statuses }: Sending,
): Promise<string[]> {
  const method = methodAt(input.path);
  const headers: Record<string, string> = {
    ":method": "POST",
    ":path": input.path,
    "content-type": "application/grpc",
    te: "trailers",
    "bazaar-messages": String(messagesVersion),
    "bazaar-name": "fuzz",
    ...input.headers,
  };
  for (const [name, value] of Object.entries(headers)) if (value === "") delete headers[name];
  let stream: ClientHttp2Stream;
  try {
    stream = sessions.of(portOf(input.to)).request(headers, { endStream: false });
  } catch {
    // Node refuses to send some of the headers.
    statuses.count("grpc", "unsendable");
    return [];
  }
  const frames = input.messages.map((message) => framed(message, method, live));
  const isSound = headers["grpc-timeout"] === undefined && frames.every((frame) => isReadable(frame, method));
  const end = await call(stream, input, frames, isSound);
  if (end === "silent") {
    stream.close(constants.NGHTTP2_CANCEL);
    statuses.count("grpc", "silent");
    return [`a call of ${input.path} must end within ${deadlineMs} ms (it did not)`];
  }
  statuses.count(
    "grpc",
    end.status === undefined ? `HTTP ${end.httpStatus ?? "closed"}` : (allowed.get(end.status) ?? String(end.status)),
  );
  return faultsOf(end, method);
}

function call(
  stream: ClientHttp2Stream,
  { path, end }: GrpcInput,
  frames: readonly Buffer[],
  isSound: boolean,
): Promise<CallEnd | "silent"> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let head: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
    let trailers: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
    const cancel = () => stream.close(constants.NGHTTP2_CANCEL);
    const deadline = setTimeout(() => resolve("silent"), deadlineMs);
    let grace: ReturnType<typeof setTimeout> | undefined;
    stream.on("response", (received) => (head = received));
    stream.on("trailers", (received) => (trailers = received));
    stream.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (path.endsWith(endless) || end === "cancel") cancel();
    });
    stream.on("error", () => {});
    stream.on("close", () => {
      clearTimeout(deadline);
      clearTimeout(grace);
      const textOf = (name: string) => [trailers[name] ?? head[name] ?? ""].flat().join();
      const status = textOf("grpc-status");
      resolve({
        status: status === "" ? undefined : Number(status),
        httpStatus: head[":status"],
        details: decoded(textOf("grpc-message")),
        code: textOf("bazaar-code"),
        data: Buffer.concat(chunks),
      });
    });
    for (const frame of frames) stream.write(frame);
    if (end === "end") stream.end();
    if (end === "cancel") grace = setTimeout(cancel, graceMs);
    else if (!isSound) grace = setTimeout(cancel, refusedMs);
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function faultsOf({ status, details, code, data }: CallEnd, method: FuzzedMethod | undefined): string[] {
  const faults = tracesIn(details);
  if (status !== undefined && !allowed.has(status) && !ofGrpcItself.test(details))
    faults.push(`a call must not fail with gRPC status ${status} (got ${JSON.stringify(details)})`);
  if (code === "INTERNAL_ERROR")
    faults.push(`a call must not fail with INTERNAL_ERROR (got ${JSON.stringify(details)})`);
  for (const reply of method === undefined ? [] : messagesIn(data)) {
    const text = JSON.stringify(method?.decodeReply(reply));
    faults.push(...tracesIn(text));
    if (text.includes('"INTERNAL_ERROR"'))
      faults.push(`a reply must not fail with INTERNAL_ERROR (got ${text.slice(0, 300)})`);
  }
  return faults;
}

function isReadable(frame: Buffer, method: FuzzedMethod | undefined): boolean {
  if (method === undefined || frame.readUInt8() !== 0 || frame.readUInt32BE(1) !== frame.length - 5) return false;
  try {
    method.decode(frame.subarray(5));
    return true;
  } catch {
    return false;
  }
}

/** The whole messages in a reply; the rest of a call that was cancelled is left out. */
function messagesIn(data: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 5 <= data.length; ) {
    const length = data.readUInt32BE(at + 1);
    const end = at + 5 + length;
    if (end > data.length) break;
    messages.push(data.subarray(at + 5, end));
    at = end;
  }
  return messages;
}
