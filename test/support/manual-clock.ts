/**
 * A clock that a test controls: time stands still until the test advances it. So a test of leases and timeouts takes no real
 * time and gives the same result on every run.
 */

import type { Clock } from "@stock-bazaar/shared/clock";

interface Timer {
  readonly dueMs: number;
  readonly action: () => void;
}

/** Rounds of `soon` in one flush, above which two parts must be keeping each other busy forever. */
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

  /** Sets the wall clock forward, or back if `byMs` is negative. */
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

  /** The number of timers that are set: a stopped service must leave none. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Runs all microtasks and the actions of `soon`, without advancing time. */
  async flush(): Promise<void> {
    await microtasks();
    for (let round = 0; this.#soon.length > 0; round += 1) {
      if (round === roundsMax) throw new Error(`a flush must end within ${roundsMax} rounds of \`soon\``);
      const actions = this.#soon;
      this.#soon = [];
      for (const action of actions) action();
      await microtasks();
    }
  }

  /** Advances time by `ms`. Every timer runs when it is due; timers of the same moment run in the order they were set. */
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

  /** Simulates a process that was frozen for `ms`: nothing ran meanwhile, and every timer that became due runs late. */
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

/** Resolves when no microtask is left: a macrotask runs after them. */
function microtasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
