/** Streams for tests: a receiver that records every message, and a connection that can be cut and frozen. */

import type { Stream, StreamHandlers } from "@stock-bazaar/shared/api";
import type { Clock } from "@stock-bazaar/shared/clock";
import { BazaarError, type ErrorCode } from "@stock-bazaar/shared/errors";

export interface Recorder<Received> extends StreamHandlers<Received> {
  readonly messages: Received[];
  /** An entry for each time that the stream ended. */
  readonly ends: (ErrorCode | "no error")[];
}

export function recorder<Received>(): Recorder<Received> {
  const messages: Received[] = [];
  const ends: Recorder<Received>["ends"] = [];
  return {
    messages,
    ends,
    message: (message) => void messages.push(message),
    ended: (error) => void ends.push(error?.code ?? "no error"),
  };
}

/** A connection that can be cut and frozen. Messages arrive in order at the clock's next `soon`. */
export class Wire {
  readonly #clock: Clock;
  readonly #open = new Set<() => void>();
  #isUp = true;
  #frozen: (() => void)[] | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get streams(): number {
    return this.#open.size;
  }

  /** Simulates that the other process is killed: streams end, and new ones end at once. */
  cut(): void {
    this.#isUp = false;
    for (const end of this.#open) end();
    this.#open.clear();
  }

  mend(): void {
    this.#isUp = true;
  }

  /** Simulates that the other process is frozen: no message arrives, and no stream ends. */
  freeze(): void {
    this.#frozen ??= [];
  }

  /** Ends `freeze`: everything that was sent meanwhile arrives. */
  thaw(): void {
    const waiting = this.#frozen ?? [];
    this.#frozen = undefined;
    for (const action of waiting) this.#deliver(action);
  }

  /** Opens a stream over this wire. */
  connect<Sent, Received>(
    open: (handlers: StreamHandlers<Received>) => Stream<Sent>,
    handlers: StreamHandlers<Received>,
  ): Stream<Sent> {
    let isOpen = true;
    const end = (error?: BazaarError) => {
      if (!isOpen) return;
      isOpen = false;
      this.#open.delete(lost);
      handlers.ended(error);
    };
    const lost = () => {
      this.#clock.soon(() => end(new BazaarError("UNAVAILABLE", "connection lost")));
      far?.close();
    };
    let far: Stream<Sent> | undefined;
    if (!this.#isUp) {
      lost();
      return { send() {}, close: () => void (isOpen = false) };
    }
    this.#open.add(lost);
    far = open({
      message: (message) =>
        this.#deliver(() => {
          if (isOpen) handlers.message(message);
        }),
      ended: (error) => this.#deliver(() => end(error)),
    });
    const opened = far;
    return {
      send: (message) =>
        this.#deliver(() => {
          if (isOpen) opened.send(message);
        }),
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        this.#open.delete(lost);
        this.#deliver(() => opened.close());
      },
    };
  }

  /** Makes a call over this wire. It isn't answered while the wire is frozen. */
  async call<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.#arrival();
    if (!this.#isUp) throw new BazaarError("UNAVAILABLE", "connection lost");
    const result = await work().then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    );
    await this.#arrival();
    if (!this.#isUp) throw new BazaarError("UNAVAILABLE", "connection lost");
    return result();
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => this.#deliver(resolve));
  }

  #deliver(action: () => void): void {
    if (this.#frozen) this.#frozen.push(action);
    else this.#clock.soon(action);
  }
}
