/** gRPC for callers: a deadline on every call, our own error codes, quick reconnects. */

import * as grpc from "@grpc/grpc-js";
import type { Stream, StreamHandlers } from "@stock-bazaar/shared/api";
import { type Address, addressText } from "@stock-bazaar/process/addresses";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { errorFromStatus } from "./errors.ts";
import { FreshChannel } from "./fresh-channel.ts";
import type { CallerHandshake } from "./handshake.ts";
import { keepaliveMs, messageBytesMax } from "./limits.ts";
import { channelCredentials, channelOptions } from "./tls.ts";

/**
 * Bytes in flight on one stream. With HTTP/2's 64 KiB, a leader that sends chunk after chunk to a follower that catches
 * up would wait for a window update after each chunk.
 */
const windowBytes = 1024 * 1024;

/** How long a connection may take: one packet may be lost, which the kernel repeats after a second. */
const connectMs = 2000;

/**
 * A restarted peer is used again within half a second: the defaults (1 s, growing to 2 min) would make a rejoin slow.
 * Each client has its own connection.
 */
export const clientOptions: grpc.ClientOptions = {
  "grpc.initial_reconnect_backoff_ms": 50,
  "grpc.min_reconnect_backoff_ms": 50,
  "grpc.max_reconnect_backoff_ms": 500,
  "grpc.enable_retries": 0,
  // A peer that restarts with another IP address under the same name, like a container, must be found as quickly: by
  // default a name is resolved again after 30 s at the earliest.
  "grpc.dns_min_time_between_resolutions_ms": 500,
  // Otherwise grpc-js queries the name's TXT records for settings of the connection.
  "grpc.service_config_disable_resolution": 1,
  // Otherwise calls go through the proxy that `http_proxy`, `https_proxy` or `grpc_proxy` names.
  "grpc.enable_http_proxy": 0,
  "grpc.keepalive_time_ms": keepaliveMs,
  "grpc.keepalive_timeout_ms": keepaliveMs,
  "grpc.keepalive_permit_without_calls": 1,
  "grpc-node.flow_control_window": windowBytes,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.max_receive_message_length": messageBytesMax,
  "grpc.max_send_message_length": messageBytesMax,
};

/** The parts of a method's definition that a call needs. */
export type Method<Request, Reply> = Pick<
  grpc.MethodDefinition<Request, Reply>,
  "path" | "requestSerialize" | "responseDeserialize"
>;

/** How long a closed stream may take to deliver what was sent before. */
const closeGraceMs = 500;

/** A connection to one service. */
export interface Client extends grpc.Client {
  /** Absent if the messages aren't the bazaar's and have no version. */
  readonly handshake?: CallerHandshake;
}

/** Connects on first use, and again when the connection is lost. */
export function createClient(address: Address, handshake?: CallerHandshake): Client {
  const client = new grpc.Client(addressText(address), channelCredentials(handshake?.identity, address), {
    ...clientOptions,
    ...channelOptions(address),
    channelFactoryOverride: (...channel) => new FreshChannel(connectMs, ...channel),
  });
  return handshake ? Object.assign(client, { handshake }) : client;
}

/** The headers of each call. */
export function headersOf({ handshake }: Client): grpc.Metadata {
  return handshake?.headers ?? new grpc.Metadata();
}

/** Calls `refused` if the server answers in another version of the messages: at most once, before any message. */
export function onRefusal(
  { handshake }: Client,
  call: { on(event: "metadata", listener: (headers: grpc.Metadata) => void): unknown },
  refused: (error: BazaarError) => void,
): void {
  if (!handshake) return;
  call.on("metadata", (headers) => {
    const refusal = handshake.refusal(headers);
    if (refusal) refused(refusal);
  });
}

/** The BazaarError for a failed call. */
export function failureOf({ handshake }: Client, error: grpc.ServiceError): BazaarError {
  return handshake?.failure(error) ?? errorFromStatus(error);
}

/** One call. Rejects with a BazaarError; after `timeoutMs`, and when `signal` aborts, with UNAVAILABLE. */
export function callUnary<Request, Reply>(
  client: Client,
  method: Method<Request, Reply>,
  request: Request,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new BazaarError("UNAVAILABLE", "the caller gave up"));
    const answered = (error: grpc.ServiceError | null, reply?: Reply) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      if (error) reject(failureOf(client, error));
      else if (reply === undefined) reject(new BazaarError("INTERNAL_ERROR", "a reply must have a message (got none)"));
      else resolve(reply);
    };
    const { path, requestSerialize, responseDeserialize } = method;
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      headersOf(client),
      answered,
    );
    onRefusal(client, call, (refusal) => {
      reject(refusal);
      call.cancel();
    });
    const abort = () => call.cancel();
    signal?.addEventListener("abort", abort);
    // gRPC's own deadline is a time of the wall clock: if that is set forward, it ends a call at once.
    const timer = setTimeout(() => {
      reject(new BazaarError("UNAVAILABLE", `no answer in ${timeoutMs} ms`));
      call.cancel();
    }, timeoutMs);
  });
}

/** Opens a two-way stream. An error of `decode` ends it. */
export function openDuplex<Request, Reply, Sent, Received>(
  client: Client,
  { path, requestSerialize, responseDeserialize }: Method<Request, Reply>,
  handlers: StreamHandlers<Received>,
  encode: (message: Sent) => Request,
  decode: (message: Reply) => Received,
): Stream<Sent> {
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, headersOf(client));
  const reading = readStream(client, call, handlers, decode);
  return {
    send(message) {
      if (reading.open()) call.write(encode(message));
    },
    close() {
      if (!reading.open()) return;
      reading.forget();
      // Earlier messages still arrive; a server that doesn't answer the end is cancelled.
      call.end();
      setTimeout(() => call.cancel(), closeGraceMs).unref();
    },
  };
}

/** Opens a stream that only the server sends on, after `request`. */
export function openStatus<Request, Reply, Received>(
  client: Client,
  { path, requestSerialize, responseDeserialize }: Method<Request, Reply>,
  request: Request,
  handlers: StreamHandlers<Received>,
  decode: (message: Reply) => Received,
): Stream<never> {
  const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, headersOf(client));
  const reading = readStream(client, call, handlers, decode);
  return { send() {}, close: () => reading.close() };
}

function readStream<Reply, Received>(
  client: Client,
  call: grpc.ClientReadableStream<Reply>,
  handlers: StreamHandlers<Received>,
  decode: (message: Reply) => Received,
): { open(): boolean; forget(): void; close(): void } {
  let open = true;
  const ended = (error?: BazaarError) => {
    if (!open) return;
    open = false;
    handlers.ended(error);
  };
  const refuse = (error: BazaarError) => {
    ended(error);
    call.cancel();
  };
  onRefusal(client, call, refuse);
  call.on("data", (message: Reply) => {
    if (!open) return;
    let decoded: Received;
    try {
      decoded = decode(message);
    } catch (error) {
      refuse(BazaarError.from(error));
      return;
    }
    handlers.message(decoded);
  });
  call.on("error", (error: grpc.ServiceError) => ended(failureOf(client, error)));
  call.on("end", () => ended());
  return {
    open: () => open,
    forget: () => void (open = false),
    close() {
      open = false;
      call.cancel();
    },
  };
}
