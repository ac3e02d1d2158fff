/**
 * Many calls on one gRPC stream.
 *
 * A unary call crosses the wire as headers, message and trailers, each of which wakes the other process. On an open
 * stream it is one message each way, at a third of the delay.
 *
 * Each request has a sequence number that its reply repeats, so replies may arrive in any order. A stream that ends
 * leaves its calls unanswered: their outcome is unknown (R10).
 */

import type * as grpc from "@grpc/grpc-js";
import type { Failure } from "@stock-bazaar/proto/generated/bazaar";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { type Client, failureOf, headersOf, type Method, onRefusal } from "./client.ts";
import { failureFromMessage, failureToMessage } from "./errors.ts";

interface Sequenced {
  sequence: number;
}

interface Answered extends Sequenced {
  failure?: Failure | undefined;
}

type Answer<Reply extends Answered> = Omit<Reply, keyof Answered>;

interface Pending<Reply> {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: BazaarError) => void;
}

/**
 * The caller's side: one method of one client.
 *
 * The stream opens with the first call, and again with the next call after it was lost.
 */
export class CallStream<Request extends Sequenced, Reply extends Answered> {
  readonly #client: Client;
  readonly #method: Method<Request, Reply>;
  readonly #timeoutMs: number;
  readonly #pending = new Map<number, Pending<Reply>>();
  #stream: grpc.ClientDuplexStream<Request, Reply> | undefined;
  #sequence = 0;
  #lastReplyMs = Number.NEGATIVE_INFINITY;

  /** `timeoutMs`: the deadline of each call. */
  constructor(client: Client, method: Method<Request, Reply>, timeoutMs: number) {
    this.#client = client;
    this.#method = method;
    this.#timeoutMs = timeoutMs;
  }

  /** Rejects with a BazaarError; after the deadline, and when `signal` aborts, with UNAVAILABLE. */
  call(request: Omit<Request, "sequence">, signal?: AbortSignal): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new BazaarError("UNAVAILABLE", "the caller gave up"));
      this.#sequence += 1;
      const sequence = this.#sequence;
      const giveUp = (message: string) => {
        if (!this.#pending.has(sequence)) return;
        done();
        reject(new BazaarError("UNAVAILABLE", message));
      };
      const abort = () => giveUp("the caller gave up");
      const sentMs = performance.now();
      const timer = setTimeout(() => {
        giveUp(`no answer in ${this.#timeoutMs} ms`);
        this.#dropIfSilentSince(sentMs);
      }, this.#timeoutMs);
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        this.#pending.delete(sequence);
      };
      signal?.addEventListener("abort", abort);
      this.#pending.set(sequence, {
        resolve: (reply) => {
          done();
          resolve(reply);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
      this.#open().write({ ...request, sequence } as unknown as Request);
    });
  }

  /** Cancels the stream to a frozen peer, on which writes would only fill memory. The next call opens a new stream. */
  #dropIfSilentSince(sentMs: number): void {
    if (this.#lastReplyMs >= sentMs) return;
    this.#stream?.cancel();
    this.#lost(new BazaarError("UNAVAILABLE", "the other side is silent"));
  }

  #lost(error: BazaarError): void {
    this.#stream = undefined;
    for (const { reject } of this.#pending.values()) reject(error);
  }

  #open(): grpc.ClientDuplexStream<Request, Reply> {
    if (this.#stream) return this.#stream;
    const { path, requestSerialize, responseDeserialize } = this.#method;
    const stream = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      headersOf(this.#client),
    );
    const lost = (error: BazaarError) => {
      if (this.#stream === stream) this.#lost(error);
    };
    onRefusal(this.#client, stream, (refusal) => {
      lost(refusal);
      stream.cancel();
    });
    stream.on("data", (reply: Reply) => this.#answered(reply));
    stream.on("error", (error: grpc.ServiceError) => lost(failureOf(this.#client, error)));
    stream.on("end", () => lost(new BazaarError("UNAVAILABLE", "the stream ended")));
    this.#stream = stream;
    return stream;
  }

  #answered(reply: Reply): void {
    this.#lastReplyMs = performance.now();
    const pending = this.#pending.get(reply.sequence);
    if (!pending) return;
    if (reply.failure) pending.reject(failureFromMessage(reply.failure));
    else pending.resolve(reply);
  }
}

interface OpenStream {
  ending: boolean;
  calls: number;
  end(): void;
}

/** The server's side: serves the streams of calls of one service, and ends them when it stops. */
export class CallStreams {
  readonly #streams = new Set<OpenStream>();
  #draining = false;

  /** `nothing` fills the fields of the answer in a reply that reports a failure. */
  serve<Request extends Sequenced, Reply extends Answered>(
    answer: (request: Request) => Promise<Answer<Reply>>,
    nothing: Answer<Reply>,
  ): grpc.handleBidiStreamingCall<Request, Reply> {
    return (call) => {
      const stream: OpenStream = { ending: this.#draining, calls: 0, end: () => call.end() };
      const reply = (message: Reply) => {
        stream.calls -= 1;
        if (!call.cancelled) call.write(message);
        this.#endIfIdle(stream);
      };
      this.#streams.add(stream);
      call.on("data", (request: Request) => {
        const { sequence } = request;
        stream.calls += 1;
        answer(request).then(
          (answered) => reply({ ...answered, sequence } as Reply),
          (error: unknown) => reply({ ...nothing, sequence, failure: failureToMessage(error) } as Reply),
        );
      });
      call.on("end", () => {
        stream.ending = true;
        this.#endIfIdle(stream);
      });
      call.on("cancelled", () => this.#streams.delete(stream));
      call.on("error", () => this.#streams.delete(stream));
      this.#endIfIdle(stream);
    };
  }

  /** Answers the calls in flight, then ends every stream. */
  drain(): void {
    this.#draining = true;
    for (const stream of this.#streams) {
      stream.ending = true;
      this.#endIfIdle(stream);
    }
  }

  #endIfIdle(stream: OpenStream): void {
    if (!stream.ending || stream.calls > 0 || !this.#streams.delete(stream)) return;
    stream.end();
  }
}
