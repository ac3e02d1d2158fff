/** gRPC for servers: serves promises and streams, with health and reflection for every service. */

import * as grpc from "@grpc/grpc-js";
import type { Stream, StreamHandlers } from "@stock-bazaar/shared/api";
import { addressText, type ListenAddress } from "@stock-bazaar/process/addresses";
import { type DescriptorWatch, watchDescriptors } from "@stock-bazaar/process/descriptors";
import type { LiveIdentity } from "@stock-bazaar/process/live-identity";
import { statusFromError } from "./errors.ts";
import { addHealth, addReflection } from "./introspection.ts";
import { keepaliveMs, messageBytesMax } from "./limits.ts";
import { logRefusedCallers, serverCredentials } from "./tls.ts";
import { listenError } from "@stock-bazaar/process/listen-error";

// We log errors ourselves: once, and in one line.
grpc.setLogVerbosity(grpc.logVerbosity.NONE);

const serverOptions: grpc.ServerOptions = {
  "grpc.max_receive_message_length": messageBytesMax,
  "grpc.max_send_message_length": messageBytesMax,
  "grpc.keepalive_time_ms": keepaliveMs,
  "grpc.keepalive_timeout_ms": keepaliveMs,
  // A second server on the same port must fail, not share it.
  "grpc.so_reuseport": 0,
};

/** Serves a unary method with the promise's value, or its error with our code. */
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

/** Serves a two-way stream by opening one for each caller. An error of `decode` ends it. */
export function serveDuplex<RequestMessage, ReplyMessage, Sent, Received>(
  open: (handlers: StreamHandlers<Received>) => Stream<Sent>,
  decode: (message: RequestMessage) => Sent,
  encode: (message: Received) => ReplyMessage,
): grpc.handleBidiStreamingCall<RequestMessage, ReplyMessage> {
  return (call) => {
    const stream = openFor(call, open, encode);
    let refused = false;
    call.on("data", (message: RequestMessage) => {
      if (refused) return;
      let decoded: Sent;
      try {
        decoded = decode(message);
      } catch (error) {
        refused = true;
        call.emit("error", statusFromError(error));
        return;
      }
      stream.send(decoded);
    });
    call.on("end", () => {
      stream.close();
      call.end();
    });
  };
}

/** Serves a one-way stream. Messages that the caller is too slow to read are skipped: each is complete in itself. */
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
          ended: (error) => handlers.ended(error),
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
  /** The port that it listens on, for an address with port 0. */
  readonly port: number;
  /** Whether health probes are told that the service serves. It does from the start on. */
  setServing(isServing: boolean): void;
  /** Accepts no new calls, and finishes those in flight for at most `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export interface Service {
  readonly definition: grpc.ServiceDefinition;
  readonly implementation: grpc.UntypedServiceImplementation;
  /** Ends the streams that would stay open for ever, once their calls are answered. */
  readonly drain: () => void;
  /** Callers must show a certificate if there is one. */
  readonly identity?: LiveIdentity | undefined;
}

/**
 * Listens, with gRPC health and reflection beside the service. Rejects with a ConfigError if the address can't be
 * bound. With `descriptors`, it refuses connections while file descriptors run out.
 */
export async function startServer(
  address: ListenAddress,
  { definition, implementation, drain, identity }: Service,
  descriptors?: DescriptorWatch,
): Promise<RunningServer> {
  const server = new grpc.Server(serverOptions);
  server.addService(definition, implementation);
  const name = Object.values(definition)[0]?.path.split("/")[1] ?? "";
  const health = addHealth(server, name);
  addReflection(server, name);

  const credentials = serverCredentials(identity);
  const bind = (to: ListenAddress) =>
    new Promise<number>((resolve, reject) => {
      server.bindAsync(addressText(to), credentials, (error, bound) => {
        if (error) reject(listenError(to, error));
        else resolve(bound);
      });
    });
  const boundPort = await bind(address);
  const bound = { ...address, port: boundPort };
  const endWatch = descriptors
    ? watchDescriptors(
        { shut: () => server.unbind(addressText(bound)), open: async () => void (await bind(bound)) },
        descriptors,
      )
    : () => {};
  if (identity) logRefusedCallers(server, identity);

  return {
    port: boundPort,
    setServing: (isServing) => health.set(isServing),
    stop: (graceMs) =>
      new Promise((resolve) => {
        endWatch();
        health.set(false);
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
