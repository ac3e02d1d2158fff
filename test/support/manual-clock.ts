/**
 * A clock that a test owns: time stands still until the test moves it, and nothing happens that the test did
 * not ask for. So a test about leases and timeouts takes no time and comes out the same on every run.
 */

import type { Clock } from "@stock-bazaar/shared/clock";

interface Timer {
  readonly dueMs: number;
  readonly action: () => void;
}

/** More rounds of `soon` than this in one flush is two parts that keep each other busy without end. */
const roundsMax = 100_000;

export class ManualClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  #startWallMs: number;
  readonly #timers = new Set<Timer>();
  #soon: (() => void)[] = [];

  constructor(options: { startMs?: number; wallTime?: string } = {}) {
    this.#startMs = options.startMs ?? 1000;
    this.#nowMs = this.#startMs;
    this.#startWallMs = Date.parse(options.wallTime ?? "2026-01-01T00:00:00.000Z");
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#startWallMs + this.#nowMs - this.#startMs;
  }

  /** Somebody sets the wall clock: forward, or back if negative. */
  setWall(byMs: number): void {
    this.#startWallMs += byMs;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer: Timer = { dueMs: this.#nowMs + Math.max(0, delayMs), action };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  soon(action: () => void): void {
    this.#soon.push(action);
  }

  /** How many timers are set: what is stopped must leave none behind. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets everything happen that needs no time to pass: promises, and what was asked for `soon`. */
  async flush(): Promise<void> {
    await microtasks();
    for (let round = 0; this.#soon.length > 0; round += 1) {
      if (round === roundsMax) throw new Error(`still busy after ${roundsMax} rounds`);
      const actions = this.#soon;
      this.#soon = [];
      for (const action of actions) action();
      await microtasks();
    }
  }

  /** Lets `ms` pass: every timer runs when it is due, those of the same moment in the order in which they were set. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.flush();
    for (let timer = this.#next(untilMs); timer; timer = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
      this.#timers.delete(timer);
      timer.action();
      await this.flush();
    }
    this.#nowMs = untilMs;
  }

  /** The process was stopped for `ms` and wakes up: nothing ran meanwhile, and every timer comes late. */
  async oversleep(ms: number): Promise<void> {
    this.#nowMs += ms;
    await this.advance(0);
  }

  #next(untilMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= untilMs && (!next || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }
}

/** A macrotask comes when no microtask is left. */
function microtasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
