/** gRPC from the caller's side: a deadline on every call, our own error codes, quick reconnects. */

import * as grpc from "@grpc/grpc-js";
import type { Stream, StreamHandlers } from "@stock-bazaar/shared/api";
import { type Address, addressText } from "@stock-bazaar/process/addresses";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { errorFromStatus } from "./errors.ts";
import type { CallerHandshake } from "./handshake.ts";
import { messageBytesMax } from "./limits.ts";

/**
 * What may be on its way on one stream. With HTTP/2's 64 KiB a leader that sends chunk after chunk to a follower which is
 * behind waits for a window update after each of them.
 */
const windowBytes = 1024 * 1024;

/**
 * While a call or a stream is open, the peer is asked for a sign of life so often, and has as long to give it. A connection
 * that ends without a word (a machine without power, a firewall that forgets) would else stay open for ever where nothing
 * is sent.
 */
const keepaliveMs = 3000;

/**
 * A peer that comes back is used again within half a second: the defaults (1 s, growing to 2 min) would
 * make a rejoin slow. Each client has its own connection.
 */
export const clientOptions: grpc.ClientOptions = {
  "grpc.initial_reconnect_backoff_ms": 50,
  "grpc.min_reconnect_backoff_ms": 50,
  "grpc.max_reconnect_backoff_ms": 500,
  "grpc.enable_retries": 0,
  // A peer that comes back under its name with another IP address, like a container, must be found as quickly: the default
  // looks a name up again after 30 s at the earliest.
  "grpc.dns_min_time_between_resolutions_ms": 500,
  // Else grpc-js asks the name's TXT records for settings of the connection.
  "grpc.service_config_disable_resolution": 1,
  // Else a call to another part leaves for the proxy that `http_proxy`, `https_proxy` or `grpc_proxy` names.
  "grpc.enable_http_proxy": 0,
  "grpc.keepalive_time_ms": keepaliveMs,
  "grpc.keepalive_timeout_ms": keepaliveMs,
  "grpc-node.flow_control_window": windowBytes,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.max_receive_message_length": messageBytesMax,
  "grpc.max_send_message_length": messageBytesMax,
};

/** What a call needs to know of a method. */
export type Method<Request, Reply> = Pick<
  grpc.MethodDefinition<Request, Reply>,
  "path" | "requestSerialize" | "responseDeserialize"
>;

/** How long a stream that was closed may take to pass on what was sent before. */
const closeGraceMs = 500;

/** A connection to one service. */
export interface Client extends grpc.Client {
  /** Absent: the messages aren't the bazaar's, and have no version. */
  readonly handshake?: CallerHandshake;
}

/** The connection is made when first used, and made again when lost. */
export function createClient(address: Address, handshake?: CallerHandshake): Client {
  const client = new grpc.Client(addressText(address), grpc.credentials.createInsecure(), clientOptions);
  return handshake ? Object.assign(client, { handshake }) : client;
}

/** What each call begins with. */
export function headersOf({ handshake }: Client): grpc.Metadata {
  return handshake?.headers ?? new grpc.Metadata();
}

/** Calls `refused` if the server answers in another version of the messages; before any message, and at most once. */
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

/** What a failed call means. */
export function failureOf({ handshake }: Client, error: grpc.ServiceError): BazaarError {
  return handshake?.refusalAtEnd(error.metadata) ?? errorFromStatus(error);
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
    if (signal?.aborted) return reject(new BazaarError("UNAVAILABLE", "given up"));
    const answered = (error: grpc.ServiceError | null, reply?: Reply) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      if (error) reject(failureOf(client, error));
      else if (reply === undefined) reject(new BazaarError("INTERNAL_ERROR", "an empty reply"));
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
    // Not gRPC's own deadline, which is a time of the wall clock: set forward, it would end a call at once.
    const timer = setTimeout(() => {
      reject(new BazaarError("UNAVAILABLE", `no answer in ${timeoutMs} ms`));
      call.cancel();
    }, timeoutMs);
  });
}

/** Opens a two-way stream. A message that `decode` throws for ends it with that error. */
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
      // What was sent before still arrives; a server that doesn't answer the end is not waited for.
      call.end();
      setTimeout(() => call.cancel(), closeGraceMs).unref();
    },
  };
}

/** Opens a stream on which only the server speaks, after `request`. */
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
