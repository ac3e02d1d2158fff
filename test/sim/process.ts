/**
 * A process with its own clock, which can be killed or frozen at any moment. Each start is a new life: the pending work of
 * an earlier life has no effect, as if it had never been sent or written.
 */

import type { Clock } from "@stock-bazaar/shared/clock";
import { BrokenInvariant } from "@stock-bazaar/shared/invariant";
import type { Random } from "@stock-bazaar/shared/random";
import type { Scheduler } from "./scheduler.ts";

/** The longest turn of the event loop. */
const turnMs = 0.1;
/** Times that were computed in two ways may differ by this much. */
const roundingMs = 1e-6;
/** A wall clock is set to a time at most this far from the right one. */
const wallOffMsMax = 10 * 365 * 24 * 3_600_000;

export interface Pace {
  /** Milliseconds of this clock per millisecond of the world's: 1.05 is a clock that runs 5% fast. */
  readonly rate: number;
  /** The wall clock's time at the beginning of the run. */
  readonly wallMs: number;
  /** Interval at which the wall clock is set to a random time; `undefined` if it never is. */
  readonly wallSetEveryMs: number | undefined;
  /** The longest delay of a timer beyond its due time. */
  readonly timerLateMs: number;
}

export class Life {
  readonly clock: Clock;
  readonly #random: Random;
  readonly #scheduler: Scheduler;
  #isAlive = true;
  #isPaused = false;
  /** When the machine fell asleep, on the world's clock; its monotonic clock stands still since. */
  #sleepsSinceMs: number | undefined;
  #sleptMs = 0;
  /** Work that arrived while the process was frozen, and since then until all of it is done. */
  #backlog: (() => void)[] = [];
  readonly #killListeners = new Set<() => void>();

  constructor(scheduler: Scheduler, random: Random, pace: Pace) {
    this.#random = random;
    this.#scheduler = scheduler;
    const nowMs = () => ((this.#sleepsSinceMs ?? scheduler.nowMs) - this.#sleptMs) * pace.rate;
    this.clock = {
      nowMs,
      wallMs: () => {
        const { wallSetEveryMs } = pace;
        const setMs =
          wallSetEveryMs === undefined ? pace.wallMs : wallSetMs(pace, Math.floor(scheduler.nowMs / wallSetEveryMs));
        return setMs + scheduler.nowMs * pace.rate;
      },
      after: (delayMs, action) => {
        let isSet = true;
        const dueMs = nowMs() + delayMs + random.between(0, pace.timerLateMs);
        const ring = () =>
          this.run(() => {
            if (!isSet) return;
            // The machine slept: the rest of the delay passes after it wakes.
            if (dueMs - nowMs() > roundingMs) wait();
            else action();
          });
        const wait = () => scheduler.after((dueMs - nowMs()) / pace.rate, ring);
        wait();
        return () => void (isSet = false);
      },
      soon: (action) => this.#soon(action),
    };
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Runs the action now, or after the process resumes; never if the process is dead. */
  run(action: () => void): void {
    if (!this.#isAlive) return;
    if (this.#isPaused || this.#backlog.length > 0) this.#backlog.push(action);
    else this.#do(action);
  }

  /** Runs the action after an outside delay, such as a disk's: this process's clock and late timers don't affect it. */
  afterWorldMs(delayMs: number, action: () => void): void {
    this.#scheduler.after(delayMs, () => this.run(action));
  }

  pause(): void {
    this.#isPaused = true;
  }

  /** Like `pause`, but of the whole machine: its monotonic clock stands still too, and only its wall clock runs. */
  sleep(): void {
    this.#isPaused = true;
    this.#sleepsSinceMs ??= this.#scheduler.nowMs;
  }

  /** Ends `pause` or `sleep`. Work that arrived meanwhile is done in its order. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#sleepsSinceMs !== undefined) this.#sleptMs += this.#scheduler.nowMs - this.#sleepsSinceMs;
    this.#sleepsSinceMs = undefined;
    this.#catchUp();
  }

  kill(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#backlog = [];
    for (const listener of this.#killListeners) listener();
    this.#killListeners.clear();
  }

  /** Calls `listener` when the process is killed. Returns a function that removes it. */
  onKill(listener: () => void): () => void {
    this.#killListeners.add(listener);
    return () => void this.#killListeners.delete(listener);
  }

  #catchUp(): void {
    this.#scheduler.after(this.#random.between(0, turnMs), () => {
      if (this.#isPaused) return;
      const action = this.#backlog[0];
      if (!action) return;
      this.#do(action);
      this.#backlog.shift();
      this.#catchUp();
    });
  }

  /** A broken invariant ends the process. `whenInvariantBreaks` has reported it before. */
  #do(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof BrokenInvariant)) throw error;
      this.kill();
    }
  }

  #soon(action: () => void): void {
    this.#scheduler.after(this.#random.between(0, turnMs), () => this.run(action));
  }
}

/** The time to which the wall clock was set for the n-th time: a hash, because a random draw here would change the run. */
function wallSetMs({ wallMs }: Pace, times: number): number {
  const unit = (Math.imul(Math.trunc(wallMs) + times, 0x9e3779b1) >>> 0) / 2 ** 32;
  return wallMs + (2 * unit - 1) * wallOffMsMax;
}

/** A place where a process can run; `service` is what other processes can call. */
export class Host<Service> {
  readonly name: string;
  life: Life | undefined;
  service: Service | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get isUp(): boolean {
    return this.life?.isAlive ?? false;
  }

  kill(): void {
    this.life?.kill();
    this.life = undefined;
    this.service = undefined;
  }
}
