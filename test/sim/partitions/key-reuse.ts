/** Clients that use a key for two trades, mostly of different partitions. At most one of them may have an outcome (R3). */

import { BazaarError, isRetryable } from "@stock-bazaar/shared/errors";
import type { Random } from "@stock-bazaar/shared/random";
import type { Answer, Wish } from "../history.ts";
import type { Life } from "../process.ts";
import { answerOf } from "../workload.ts";
import type { Partitions } from "./partitions.ts";

const clientsCount = 2;
const thinkMs = 60;
const retryMeanMs = 30;
const patienceMs = [400, 1500, 8000];

/** A key that was used twice. */
export interface Reuse {
  readonly key: string;
  readonly answers: readonly Answer[];
  readonly startMs: number;
  readonly endMs: number;
}

export class KeyReuse {
  readonly reuses: Reuse[] = [];
  readonly #partitions: Partitions;
  readonly #random: Random;
  #isStopping = false;
  #running = 0;

  constructor(partitions: Partitions, random: Random) {
    this.#partitions = partitions;
    this.#random = random;
  }

  start(): void {
    for (let number = 1; number <= clientsCount; number += 1) void this.#client(`reusing-client-${number}`);
  }

  /** Lets each client finish its current pair of trades, and begin no other. */
  stop(): void {
    this.#isStopping = true;
  }

  get isDone(): boolean {
    return this.#running === 0;
  }

  async #client(name: string): Promise<void> {
    this.#running += 1;
    const life = this.#partitions.newLife(name);
    while (!this.#isStopping) {
      await pause(life, this.#random.exponential(thinkMs));
      await this.#useTwice(name, life);
    }
    this.#running -= 1;
  }

  async #useTwice(client: string, life: Life): Promise<void> {
    const { scheduler } = this.#partitions;
    const startMs = scheduler.nowMs;
    const key = this.#partitions.newId();
    const { stocks } = this.#partitions.settings;
    const one: Wish = { key, name: this.#random.pick(stocks).name, type: "sell", quantity: 1 };
    const other: Wish = { key, name: this.#random.pick(stocks).name, type: "sell", quantity: 2 };
    const areTogether = this.#random.chance(0.5);
    const first = this.#untilAnswered(client, life, one);
    if (!areTogether) await first;
    const answers = await Promise.all([first, this.#untilAnswered(client, life, other)]);
    this.reuses.push({ key, answers, startMs, endMs: scheduler.nowMs });
  }

  async #untilAnswered(client: string, life: Life, wish: Wish): Promise<Answer> {
    const partitions = this.#partitions;
    for (;;) {
      const frontEnd = this.#random.pick(partitions.frontEnds);
      const caller = { name: client, life, timeoutMs: this.#random.pick(patienceMs) };
      let answer: Answer;
      try {
        answer = answerOf(
          await partitions.frontEndFor(caller, frontEnd).trade({ ...wish, requestId: wish.key }, false),
        );
      } catch (error) {
        const failure = BazaarError.from(error);
        if (!isRetryable(failure.code) && failure.code !== "OVERLOADED" && failure.code !== "DIVERGED") throw error;
        answer = { status: "unknown" };
      }
      partitions.trace(`${client}: ${wish.name}, ${wish.key}, at ${frontEnd.name}: ${JSON.stringify(answer)}`);
      if (answer.status !== "unknown") return answer;
      await pause(life, this.#random.exponential(retryMeanMs));
    }
  }
}

function pause(life: Life, delayMs: number): Promise<void> {
  return new Promise((resolve) => void life.clock.after(delayMs, resolve));
}
