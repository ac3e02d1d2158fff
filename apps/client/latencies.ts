/** How long requests took. Every one is kept: a percentile of a sample can miss the slow ones, which are few. */

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

  /** From the first attempt to the answer. */
  add({ startMs, endMs }: { readonly startMs: number; readonly endMs: number }): void {
    this.#takenMs.push(endMs - startMs);
  }

  /** All zero for none. */
  summary(): LatencySummary {
    const sorted = this.#takenMs.toSorted((a, b) => a - b);
    const at = (percent: number) => toMicros(percentile(sorted, percent));
    return { count: sorted.length, p50Ms: at(50), p90Ms: at(90), p99Ms: at(99), maxMs: at(100) };
  }
}

/** What the clock tells beyond that is noise. */
function toMicros(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
