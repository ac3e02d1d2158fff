/**
 * gRPC as the services use it: deadlines on every call, errors with our own codes, quick reconnects, health
 * and reflection. Nothing here knows a message of ours.
 */

import * as grpc from "@grpc/grpc-js";
import type { MethodDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { packageDefinition } from "@stock-bazaar/proto/load";
import { HealthImplementation } from "grpc-health-check";
import type { Stream, StreamHandlers } from "./api.ts";
import type { Address } from "./config.ts";
import { BazaarError, type ErrorCode, isErrorCode } from "./errors.ts";

/** The largest message either way: a catch-up chunk or a batch of trades is far below it. */
const messageBytesMax = 16 * 1024 * 1024;

/**
 * A peer that comes back is used again within half a second: the defaults (1 s, growing to 2 min) would
 * make a rejoin slow. Each client has its own connection.
 */
const clientOptions: grpc.ClientOptions = {
  "grpc.initial_reconnect_backoff_ms": 50,
  "grpc.min_reconnect_backoff_ms": 50,
  "grpc.max_reconnect_backoff_ms": 500,
  "grpc.enable_retries": 0,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.max_receive_message_length": messageBytesMax,
  "grpc.max_send_message_length": messageBytesMax,
};

const serverOptions: grpc.ServerOptions = {
  "grpc.max_receive_message_length": messageBytesMax,
  "grpc.max_send_message_length": messageBytesMax,
  // A second server on the same port must fail, not share it.
  "grpc.so_reuseport": 0,
};

const codeHeader = "bazaar-code";

/** A connection to one service, made when first used and made again when lost. */
export function createClient({ host, port }: Address): grpc.Client {
  return new grpc.Client(`${host}:${port}`, grpc.credentials.createInsecure(), clientOptions);
}

/** One call. Rejects with a BazaarError; after `timeoutMs`, and when `signal` aborts, with UNAVAILABLE. */
export function callUnary<Request, RequestOutput, Reply, ReplyOutput>(
  client: grpc.Client,
  method: MethodDefinition<Request, Reply, RequestOutput, ReplyOutput>,
  request: Request,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<ReplyOutput> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new BazaarError("UNAVAILABLE", "given up"));
    const abort = () => call.cancel();
    const options = { deadline: Date.now() + timeoutMs };
    const answered = (error: grpc.ServiceError | null, reply?: ReplyOutput) => {
      signal?.removeEventListener("abort", abort);
      if (error) reject(errorFromStatus(error));
      else if (reply === undefined) reject(new BazaarError("INTERNAL_ERROR", "an empty reply"));
      else resolve(reply);
    };
    const { path, requestSerialize, responseDeserialize } = method;
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      new grpc.Metadata(),
      options,
      answered,
    );
    signal?.addEventListener("abort", abort);
  });
}

/** Opens a two-way stream. */
export function openDuplex<Request, RequestOutput, Reply, ReplyOutput, Sent, Received>(
  client: grpc.Client,
  { path, requestSerialize, responseDeserialize }: MethodDefinition<Request, Reply, RequestOutput, ReplyOutput>,
  handlers: StreamHandlers<Received>,
  encode: (message: Sent) => Request,
  decode: (message: ReplyOutput) => Received,
): Stream<Sent> {
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  const reading = readStream(call, handlers, decode);
  return {
    send(message) {
      if (reading.open()) call.write(encode(message));
    },
    close: reading.close,
  };
}

/** Opens a stream on which only the server speaks, after `request`. */
export function openStatus<Request, RequestOutput, Reply, ReplyOutput, Received>(
  client: grpc.Client,
  { path, requestSerialize, responseDeserialize }: MethodDefinition<Request, Reply, RequestOutput, ReplyOutput>,
  request: Request,
  handlers: StreamHandlers<Received>,
  decode: (message: ReplyOutput) => Received,
): Stream<never> {
  const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
  return { send() {}, close: readStream(call, handlers, decode).close };
}

function readStream<ReplyOutput, Received>(
  call: grpc.ClientReadableStream<ReplyOutput>,
  handlers: StreamHandlers<Received>,
  decode: (message: ReplyOutput) => Received,
): { open(): boolean; close(): void } {
  let open = true;
  const ended = (error?: BazaarError) => {
    if (!open) return;
    open = false;
    handlers.ended(error);
  };
  call.on("data", (message: ReplyOutput) => {
    if (open) handlers.message(decode(message));
  });
  call.on("error", (error: grpc.ServiceError) => ended(errorFromStatus(error)));
  call.on("end", () => ended());
  return {
    open: () => open,
    close() {
      open = false;
      call.cancel();
    },
  };
}

/** Serves a unary method: the promise's value, or its error with our code. */
export function serveUnary<Request, Reply>(
  answer: (request: Request) => Promise<Reply>,
): grpc.handleUnaryCall<Request, Reply> {
  return (call, callback) => {
    answer(call.request).then(
      (reply) => callback(null, reply),
      (error: unknown) => callback(statusFromError(error)),
    );
  };
}

/** Serves a two-way stream by opening `stream` for each caller. */
export function serveDuplex<RequestMessage, ReplyMessage, Sent, Received>(
  open: (handlers: StreamHandlers<Received>) => Stream<Sent>,
  decode: (message: RequestMessage) => Sent,
  encode: (message: Received) => ReplyMessage,
): grpc.handleBidiStreamingCall<RequestMessage, ReplyMessage> {
  return (call) => {
    const stream = openFor(call, open, encode);
    call.on("data", (message: RequestMessage) => stream.send(decode(message)));
    call.on("end", () => {
      stream.close();
      call.end();
    });
  };
}

/** Serves a one-way stream. What the caller is too slow to read is left out: each message stands for itself. */
export function serveStatus<RequestMessage, ReplyMessage, Received>(
  open: (handlers: StreamHandlers<Received>) => Stream<never>,
  encode: (message: Received) => ReplyMessage,
): grpc.handleServerStreamingCall<RequestMessage, ReplyMessage> {
  return (call) => {
    openFor(
      call,
      (handlers) =>
        open({
          message: (message) => {
            if (!call.writableNeedDrain) handlers.message(message);
          },
          ended: handlers.ended,
        }),
      encode,
    );
  };
}

interface WritableCall<ReplyMessage> {
  write(message: ReplyMessage): boolean;
  end(): void;
  emit(event: "error", error: Partial<grpc.StatusObject>): boolean;
  on(event: "cancelled" | "error", listener: () => void): unknown;
}

function openFor<ReplyMessage, Sent, Received>(
  call: WritableCall<ReplyMessage>,
  open: (handlers: StreamHandlers<Received>) => Stream<Sent>,
  encode: (message: Received) => ReplyMessage,
): Stream<Sent> {
  let ended = false;
  const stream = open({
    message(message) {
      if (!ended) call.write(encode(message));
    },
    ended(error) {
      if (ended) return;
      ended = true;
      if (error) call.emit("error", statusFromError(error));
      else call.end();
    },
  });
  const close = () => {
    if (ended) return;
    ended = true;
    stream.close();
  };
  call.on("cancelled", close);
  call.on("error", close);
  return stream;
}

export interface RunningServer {
  /** The port it listens on: of use when the address asked for port 0. */
  readonly port: number;
  /** Takes nothing new, finishes what it has taken in, for `graceMs` at most. */
  stop(graceMs: number): Promise<void>;
}

export interface Service {
  readonly definition: grpc.ServiceDefinition;
  readonly implementation: grpc.UntypedServiceImplementation;
  /** Ends the streams that would stay open for ever, once their calls are answered. */
  readonly drain: () => void;
}

/** Listens, with gRPC health and reflection beside the service. Rejects with a clear message if it can't. */
export async function startServer(
  { host, port }: Address,
  { definition, implementation, drain }: Service,
): Promise<RunningServer> {
  const server = new grpc.Server(serverOptions);
  server.addService(definition, implementation);
  const name = Object.values(definition)[0]?.path.split("/")[1] ?? "";
  const health = new HealthImplementation({ "": "SERVING", [name]: "SERVING" });
  health.addToServer(server);
  new ReflectionService(packageDefinition).addToServer(server);

  const boundPort = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error)
        reject(new BazaarError("UNAVAILABLE", `can't listen on ${host}:${port}: ${error.message}`, { cause: error }));
      else resolve(bound);
    });
  });

  return {
    port: boundPort,
    stop: (graceMs) =>
      new Promise((resolve) => {
        health.setStatus("", "NOT_SERVING");
        health.setStatus(name, "NOT_SERVING");
        drain();
        const timer = setTimeout(() => {
          server.forceShutdown();
          resolve();
        }, graceMs);
        server.tryShutdown(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}

function statusFromError(error: unknown): { code: grpc.status; details: string; metadata: grpc.Metadata } {
  const { code, message } = BazaarError.from(error);
  const metadata = new grpc.Metadata();
  metadata.set(codeHeader, code);
  return { code: statusOf(code), details: message, metadata };
}

/** What a failed call means, in our own codes. */
export function errorFromStatus(error: grpc.ServiceError): BazaarError {
  const sent = error.metadata?.get(codeHeader)[0];
  if (typeof sent === "string" && isErrorCode(sent)) return new BazaarError(sent, error.details);
  switch (error.code) {
    case grpc.status.UNAVAILABLE:
    case grpc.status.DEADLINE_EXCEEDED:
    case grpc.status.CANCELLED:
    // A server that is being killed resets its streams in several ways.
    case grpc.status.INTERNAL:
    case grpc.status.UNKNOWN:
      return new BazaarError("UNAVAILABLE", error.details || error.message, { cause: error });
    case grpc.status.RESOURCE_EXHAUSTED:
      return new BazaarError("INVALID_REQUEST", error.details || error.message, { cause: error });
    default:
      return new BazaarError("INTERNAL_ERROR", error.details || error.message, { cause: error });
  }
}

function statusOf(code: ErrorCode): grpc.status {
  switch (code) {
    case "INVALID_STOCKNAME":
    case "INVALID_ORDERNUMBER":
      return grpc.status.NOT_FOUND;
    case "INVALID_REQUEST":
      return grpc.status.INVALID_ARGUMENT;
    case "INSUFFICIENT_QUANTITY":
    case "KEY_REUSED":
    case "NOT_LEADER":
    case "DIVERGED":
      return grpc.status.FAILED_PRECONDITION;
    case "FENCED":
    case "STALE_TERM":
      return grpc.status.ABORTED;
    case "OVERLOADED":
      return grpc.status.RESOURCE_EXHAUSTED;
    case "UNAVAILABLE":
    case "DEPENDENCY_UNAVAILABLE":
      return grpc.status.UNAVAILABLE;
    case "INTERNAL_ERROR":
      return grpc.status.INTERNAL;
  }
}
