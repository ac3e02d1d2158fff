/**
 * Time is passed in, so that a simulation can control it.
 *
 * Leases and timeouts use the monotonic clock, times for people (`created_at`) the wall clock. A lease also needs the
 * wall clock: the monotonic one stands still while the machine sleeps (R8).
 */

export interface Clock {
  /** Monotonic milliseconds, from an arbitrary start. */
  nowMs(): number;
  /** The wall clock: milliseconds since 1970, UTC. It may be set to any time at any moment. */
  wallMs(): number;
  /** Calls `action` once, after `delayMs`. Returns a function that cancels it. */
  after(delayMs: number, action: () => void): () => void;
  /** Calls `action` after all input that has already arrived is processed: what queues until then forms one batch. */
  soon(action: () => void): void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
  soon(action) {
    setImmediate(action);
  },
};

/** One moment on both clocks. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export function momentOn(clock: Clock): Moment {
  return { monotonicMs: clock.nowMs(), wallMs: clock.wallMs() };
}

/** The wall clock as ISO 8601, UTC. */
export function wallTime(clock: Clock): string {
  return new Date(clock.wallMs()).toISOString();
}

/** Resolves after `delayMs`. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve));
}

export interface EveryOptions {
  /** Delay before the first run. Default: one interval. */
  readonly firstMs?: number;
}

/**
 * Repeats `action` until the returned function is called.
 *
 * An interval begins when the previous run has returned or its promise has resolved, so runs never overlap.
 * `intervalMs` may be a function: it is called before each interval. Errors of `action` are not caught: they are bugs.
 *
 * `lateMs` is how late the timer fired. A very late timer means that this process was frozen or its machine slept.
 * Messages that arrived meanwhile are not read yet, so the silence of other processes proves nothing.
 */
export function every(
  clock: Clock,
  intervalMs: number | (() => number),
  action: (lateMs: number) => void | Promise<void>,
  { firstMs }: EveryOptions = {},
): () => void {
  let isCancelled = false;
  let cancelTimer = () => {};
  const wait = (delayMs: number) => {
    const dueMs = clock.nowMs() + delayMs;
    cancelTimer = clock.after(delayMs, () => {
      const running = action(Math.max(0, clock.nowMs() - dueMs));
      if (running === undefined) next();
      else void running.then(next);
    });
  };
  const next = () => {
    if (!isCancelled) wait(typeof intervalMs === "number" ? intervalMs : intervalMs());
  };
  if (firstMs === undefined) next();
  else wait(firstMs);
  return () => {
    isCancelled = true;
    cancelTimer();
  };
}

/**
 * Settles like the promise, or rejects with `late()` after `delayMs`.
 *
 * The work itself isn't stopped: its outcome is unknown (R10).
 */
export function withDeadline<T>(clock: Clock, delayMs: number, promise: Promise<T>, late: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.after(delayMs, () => reject(late()));
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}

/** A wait that ends at its deadline, unless it ends before. */
export interface Wait {
  readonly deadlineMs: number;
  readonly reject: (error: Error) => void;
  ended: boolean;
  /** Its neighbours among those that haven't ended. */
  older: Wait | undefined;
  newer: Wait | undefined;
}

/**
 * `withDeadline` for many waits with the same delay and one timer.
 *
 * To set and clear a timer for each trade would take longer than the trade's share of a batch. The waits are a linked
 * list: to add each to a Set and delete it again would take a tenth of the front-end's own work for a trade.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #late: () => Error;
  #oldest: Wait | undefined;
  #newest: Wait | undefined;
  #count = 0;
  #watching = false;

  constructor(clock: Clock, delayMs: number, late: () => Error) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#late = late;
  }

  /** How many waits have begun and not ended. */
  get count(): number {
    return this.#count;
  }

  /** Calls `reject` with `late()` at the deadline, unless `end` is called with the wait before. */
  begin(reject: (error: Error) => void): Wait {
    const older = this.#newest;
    const deadlineMs = this.#clock.nowMs() + this.#delayMs;
    const wait: Wait = { deadlineMs, reject, ended: false, older, newer: undefined };
    if (older) older.newer = wait;
    else this.#oldest = wait;
    this.#newest = wait;
    this.#count += 1;
    this.#watch();
    return wait;
  }

  end(wait: Wait): void {
    if (wait.ended) return;
    const { older, newer } = wait;
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
    wait.ended = true;
    wait.older = undefined;
    wait.newer = undefined;
    this.#count -= 1;
  }

  guard<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const wait = this.begin(reject);
      promise.then(
        (value) => {
          this.end(wait);
          resolve(value);
        },
        (error: unknown) => {
          this.end(wait);
          reject(error);
        },
      );
    });
  }

  #watch(): void {
    if (this.#watching) return;
    const oldest = this.#oldest;
    if (!oldest) return;
    this.#watching = true;
    this.#clock.after(Math.max(1, Math.ceil(oldest.deadlineMs - this.#clock.nowMs())), () => {
      this.#watching = false;
      const nowMs = this.#clock.nowMs();
      for (let wait = this.#oldest; wait && wait.deadlineMs <= nowMs; wait = this.#oldest) {
        this.end(wait);
        wait.reject(this.#late());
      }
      this.#watch();
    });
  }
}

/**
 * Retry delays that double from `firstMs` to `maxMs`, each shortened at random by up to a half. `reset` after a
 * success.
 */
export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #nextMs: number;

  constructor(firstMs: number, maxMs: number, random: () => number) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
    this.#random = random;
    this.#nextMs = firstMs;
  }

  nextMs(): number {
    const delayMs = this.#nextMs * (1 - this.#random() / 2);
    this.#nextMs = Math.min(this.#nextMs * 2, this.#maxMs);
    return delayMs;
  }

  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}
