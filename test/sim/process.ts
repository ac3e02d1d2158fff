/**
 * A process that can be killed and stopped at any moment, with a clock of its own. Each start is a new life: what
 * an earlier one still has under way has no effect any more, as if it had never been sent or written.
 */

import type { Clock } from "@stock-bazaar/shared/clock";
import type { Random } from "@stock-bazaar/shared/random";
import type { Scheduler } from "./scheduler.ts";

/** What a turn of the event loop takes, at most. */
const turnMs = 0.1;
/** Two ways to the same moment may differ by this. */
const roundingMs = 1e-6;
/** To any time within some years. */
const wallOffMsMax = 10 * 365 * 24 * 3_600_000;

export interface Pace {
  /** Its milliseconds in one of the world's: 1.05 is a clock that runs 5% fast. */
  readonly rate: number;
  /** Its wall clock, at the beginning, before anybody sets it. */
  readonly wallMs: number;
  /** The wall clock is set this often; `undefined`: never. */
  readonly wallSetEveryMs: number | undefined;
  /** Its timers come late by up to this. */
  readonly timerLateMs: number;
}

export class Life {
  readonly clock: Clock;
  readonly #random: Random;
  readonly #scheduler: Scheduler;
  #isAlive = true;
  #isPaused = false;
  /** Since when its machine sleeps, on the world's clock: its monotonic clock stands still. */
  #sleepsSinceMs: number | undefined;
  #sleptMs = 0;
  /** What has come and is not done yet: while the process is stopped, and until it has caught up afterwards. */
  #backlog: (() => void)[] = [];
  readonly #mourners = new Set<() => void>();

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
            // The machine slept meanwhile: what is left of the delay begins to pass when it wakes.
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

  /** Does it now, later when the process goes on, or never. */
  run(action: () => void): void {
    if (!this.#isAlive) return;
    if (this.#isPaused || this.#backlog.length > 0) this.#backlog.push(action);
    else action();
  }

  /** What something outside takes, a disk: no timer of this process comes late for it. */
  afterWorldMs(delayMs: number, action: () => void): void {
    this.#scheduler.after(delayMs, () => this.run(action));
  }

  pause(): void {
    this.#isPaused = true;
  }

  /** As `pause`, of the whole machine: only the wall clock goes on. */
  sleep(): void {
    this.#isPaused = true;
    this.#sleepsSinceMs ??= this.#scheduler.nowMs;
  }

  /** What has come meanwhile is done in its order. */
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
    for (const mourner of this.#mourners) mourner();
    this.#mourners.clear();
  }

  /** The connections of a process that is killed end. Returns what takes it back. */
  onKill(mourner: () => void): () => void {
    this.#mourners.add(mourner);
    return () => void this.#mourners.delete(mourner);
  }

  #catchUp(): void {
    this.#scheduler.after(this.#random.between(0, turnMs), () => {
      if (this.#isPaused) return;
      const action = this.#backlog[0];
      if (!action) return;
      action();
      this.#backlog.shift();
      this.#catchUp();
    });
  }

  #soon(action: () => void): void {
    this.#scheduler.after(this.#random.between(0, turnMs), () => this.run(action));
  }
}

/** What the wall clock was set to the last of `times`: no draw of chance, or to look at a clock would change the run. */
function wallSetMs({ wallMs }: Pace, times: number): number {
  const unit = (Math.imul(Math.trunc(wallMs) + times, 0x9e3779b1) >>> 0) / 2 ** 32;
  return wallMs + (2 * unit - 1) * wallOffMsMax;
}

/** A place where a process runs, or doesn't; `service` is what the others can call. */
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
