/**
 * Virtual time. Events of the same moment run in the order in which they were scheduled, and all microtasks of an event run
 * before the next event. So a run has one order, and never waits for real time.
 */

import { drainMicrotasks } from "bun:jsc";

interface Event {
  readonly atMs: number;
  readonly number: number;
  readonly action: () => void;
}

export class Scheduler {
  #nowMs = 0;
  #number = 0;
  #ran = 0;
  /** A binary heap: no event is later than the two below it. */
  readonly #heap: Event[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Number of events so far. */
  get ran(): number {
    return this.#ran;
  }

  after(delayMs: number, action: () => void): void {
    this.#push({ atMs: this.#nowMs + Math.max(0, delayMs), number: this.#number++, action });
  }

  /** Runs events until `isDone` or `untilMs`. Returns whether it is done. */
  runUntil(untilMs: number, isDone: () => boolean = () => false): boolean {
    drainMicrotasks();
    while (!isDone()) {
      const next = this.#heap[0];
      if (!next || next.atMs > untilMs) {
        this.#nowMs = untilMs;
        return false;
      }
      this.#pop();
      this.#nowMs = next.atMs;
      this.#ran += 1;
      next.action();
      drainMicrotasks();
    }
    return true;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (!parent || !isBefore(event, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      const left = heap[below];
      if (!left) break;
      const right = heap[below + 1];
      let child = left;
      if (right && isBefore(right, left)) {
        child = right;
        below += 1;
      }
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.number < other.number);
}
