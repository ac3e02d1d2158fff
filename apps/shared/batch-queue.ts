/**
 * Does work in batches, one at a time: items pushed while a batch is in flight form the next one. There is no timer. An item
 * pushed to an idle queue leaves at once, with everything that arrives in the same turn (docs/decisions/0004).
 *
 * The queue has no bound. Each owner limits what it pushes, in its own unit.
 */

import type { Clock } from "./clock.ts";

export interface BatchQueueOptions<Item> {
  readonly clock: Clock;
  /** Processes one batch. */
  readonly work: (batch: readonly Item[]) => Promise<void>;
  /** How many of the waiting items form the next batch, at least one. Default: all. */
  readonly nextLength?: (waiting: readonly Item[]) => number;
  /** Called when `work` rejects. The queue stops for ever. */
  readonly failed: (error: unknown) => void;
}

export class BatchQueue<Item> {
  readonly #options: BatchQueueOptions<Item>;
  #waiting: Item[] = [];
  /** The run in progress; `undefined` while idle. */
  #run: Promise<void> | undefined;

  constructor(options: BatchQueueOptions<Item>) {
    this.#options = options;
  }

  /** The number of waiting items, without the batch in flight. */
  get length(): number {
    return this.#waiting.length;
  }

  /** True if no item waits and no batch is in flight. */
  get isIdle(): boolean {
    return this.#run === undefined;
  }

  push(items: readonly Item[]): void {
    for (const item of items) this.#waiting.push(item);
    this.#run ??= this.#runAll();
  }

  /** Removes and returns the waiting items. The batch in flight is not affected. */
  clear(): Item[] {
    return this.#waiting.splice(0);
  }

  /** Resolves when no item waits and no batch is in flight. */
  idle(): Promise<void> {
    return this.#run ?? Promise.resolve();
  }

  async #runAll(): Promise<void> {
    const { clock, work, failed } = this.#options;
    await new Promise<void>((resolve) => clock.soon(resolve));
    try {
      while (this.#waiting.length > 0) await work(this.#next());
      this.#run = undefined;
    } catch (error) {
      failed(error);
    }
  }

  #next(): readonly Item[] {
    const { nextLength } = this.#options;
    return this.#waiting.splice(0, nextLength?.(this.#waiting) ?? this.#waiting.length);
  }
}
