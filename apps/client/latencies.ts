/** Collects latencies. It keeps every one, because a percentile of a sample can miss the few slow requests. */

import { percentile } from "@stock-bazaar/report/statistics";

export interface LatencySummary {
  readonly count: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export class Latencies {
  readonly #takenMs: number[] = [];

  /** Adds the time from the first attempt to the answer. */
  add({ startMs, endMs }: { readonly startMs: number; readonly endMs: number }): void {
    this.#takenMs.push(endMs - startMs);
  }

  /** All figures are 0 if there were no requests. */
  summary(): LatencySummary {
    const sorted = this.#takenMs.toSorted((a, b) => a - b);
    const at = (percent: number) => toMicros(percentile(sorted, percent));
    return { count: sorted.length, p50Ms: at(50), p90Ms: at(90), p99Ms: at(99), maxMs: at(100) };
  }
}

/** Rounds to microseconds: further digits are noise of the clock. */
function toMicros(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
