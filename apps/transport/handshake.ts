/**
 * The version of the messages, which both sides of each call send (proto/version.ts).
 *
 * A program of another version could read a field as something else, and answer "no such order" for one that exists. So
 * a server refuses a caller that sends another version or none, and a caller refuses such a server. Each side logs that
 * once, in one clear line.
 *
 * The version is a header: after a stream has opened it costs nothing, and trades travel on streams that stay open.
 * Health and reflection need no version.
 */

import * as grpc from "@grpc/grpc-js";
import { messagesVersion } from "@stock-bazaar/proto/version";
import { BazaarError, OtherVersionError } from "@stock-bazaar/shared/errors";
import type { LiveIdentity } from "@stock-bazaar/process/live-identity";
import type { Logger } from "@stock-bazaar/process/log";
import { codeHeader, errorFromStatus } from "./errors.ts";
import type { Service } from "./server.ts";
import { explainToCaller } from "./tls.ts";

const versionHeader = "bazaar-messages";
const nameHeader = "bazaar-name";

/** The most refusals that a server logs, each of another caller or version. A bazaar has fewer services. */
const loggedLinesMax = 100;

const nameLengthMax = 100;

/** One side of a connection: its name, version and log, and how it proves who it is. */
export interface Speaker {
  /** As in its log: `catalog`, `order-2`, `front-end`. */
  readonly name: string;
  readonly version: number;
  readonly logger: Pick<Logger, "error">;
  /** Absent if connections are plain. */
  readonly identity?: LiveIdentity | undefined;
}

/** This process as a speaker, with the version of this program. */
export function speakerOf(name: string, logger: Logger, identity?: LiveIdentity): Speaker {
  return { name, version: messagesVersion, logger, identity };
}

/** The caller's side of one connection. */
export class CallerHandshake {
  /** The headers of every call. */
  readonly headers: grpc.Metadata;
  readonly #self: Speaker;
  readonly #server: string;
  #logged = "";

  /** `server`: its name in the log, like `the catalog at 127.0.0.1:6000`. */
  constructor(self: Speaker, server: string) {
    this.#self = self;
    this.#server = server;
    this.headers = headersOf(self);
    this.headers.set(nameHeader, self.name);
  }

  get identity(): LiveIdentity | undefined {
    return this.#self.identity;
  }

  /** The error for a server that answers with these headers; `undefined` if it speaks this version. */
  refusal(headers: grpc.Metadata): OtherVersionError | undefined {
    const version = versionIn(headers);
    if (version === this.#self.version) {
      this.#logged = "";
      return undefined;
    }
    const line = differenceOf(this.#server, version, this.#self);
    this.#log(line);
    return new OtherVersionError(line);
  }

  /** The error for a failed call. */
  failure(error: grpc.ServiceError): BazaarError {
    // Only a server that refuses this caller sends its version in the trailers.
    const { metadata: trailers } = error;
    const refusal = trailers && versionIn(trailers) !== undefined ? this.refusal(trailers) : undefined;
    if (refusal) return refusal;
    const line = this.identity && explainToCaller(this.#server, error.details);
    if (line === undefined) return errorFromStatus(error);
    this.#log(line);
    return new BazaarError("UNAVAILABLE", line, { cause: error });
  }

  /** Repeats no line until the server has answered as it should. */
  #log(line: string): void {
    if (this.#logged !== line) this.#self.logger.error(line);
    this.#logged = line;
  }
}

/** Wraps a service: it refuses callers of another version. */
export function forSameVersion({ definition, implementation, drain }: Service, self: Speaker): Service {
  const callers = new Callers(self);
  const checked: grpc.UntypedServiceImplementation = {};
  for (const [name, handler] of Object.entries(implementation)) {
    checked[name] = definition[name]?.responseStream
      ? checkedStream(handler as StreamHandler, callers)
      : checkedUnary(handler as grpc.handleUnaryCall<unknown, unknown>, callers);
  }
  return { definition, implementation: checked, drain, identity: self.identity };
}

type StreamCall = grpc.ServerDuplexStream<unknown, unknown>;
type StreamHandler = (call: StreamCall) => void;

function checkedStream(handler: StreamHandler, callers: Callers): StreamHandler {
  return (call) => {
    const refusal = callers.refusal(call);
    if (refusal) {
      call.emit("error", refusal);
      return;
    }
    call.sendMetadata(callers.headers);
    handler(call);
  };
}

function checkedUnary(
  handler: grpc.handleUnaryCall<unknown, unknown>,
  callers: Callers,
): grpc.handleUnaryCall<unknown, unknown> {
  return (call, callback) => {
    const refusal = callers.refusal(call);
    if (refusal) return callback(refusal);
    handler(call, (...answer) => {
      // Sent here, so that headers and answer leave together.
      call.sendMetadata(callers.headers);
      callback(...answer);
    });
  };
}

interface Call {
  readonly metadata: grpc.Metadata;
  getPeer(): string;
}

/**
 * The server's side: refuses callers of another version, and logs each name with its version once. Two callers may have
 * one name: a call of the right version must not make the other's next call news.
 */
class Callers {
  readonly headers: grpc.Metadata;
  readonly #self: Speaker;
  readonly #logged = new Set<string>();

  constructor(self: Speaker) {
    this.#self = self;
    this.headers = headersOf(self);
  }

  /** The status that refuses the call; `undefined` for a caller of this version. */
  refusal(call: Call): Partial<grpc.StatusObject> | undefined {
    const version = versionIn(call.metadata);
    if (version === this.#self.version) return undefined;
    const line = differenceOf(callerOf(call), version, this.#self);
    this.#logOnce(line);
    const metadata = headersOf(this.#self);
    metadata.set(codeHeader, "UNAVAILABLE");
    const hint = version === undefined ? ` (grpcurl: -H '${versionHeader}: ${this.#self.version}')` : "";
    return { code: grpc.status.FAILED_PRECONDITION, details: line + hint, metadata };
  }

  #logOnce(line: string): void {
    if (this.#logged.has(line) || this.#logged.size >= loggedLinesMax) return;
    this.#logged.add(line);
    this.#self.logger.error(line);
  }
}

function headersOf({ version }: Speaker): grpc.Metadata {
  const headers = new grpc.Metadata();
  headers.set(versionHeader, String(version));
  return headers;
}

function versionIn(headers: grpc.Metadata): number | undefined {
  const [text] = headers.get(versionHeader);
  return typeof text === "string" && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** The caller's name in the log: the name that it sends, else its host. */
function callerOf(call: Call): string {
  const [name] = call.metadata.get(nameHeader);
  if (typeof name === "string" && name !== "") return name.slice(0, nameLengthMax);
  return `a client at ${call.getPeer().replace(/:\d+$/, "")}`;
}

function differenceOf(other: string, version: number | undefined, self: Speaker): string {
  const fact = version === undefined ? "sends no version of the messages" : `speaks version ${version} of the messages`;
  return `${other} ${fact}, but ${self.name} speaks version ${self.version}: update the older one`;
}
