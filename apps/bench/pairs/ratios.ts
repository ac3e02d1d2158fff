/**
 * Ratios of measurements that were made one right after the other. On a shared machine the speed changes from minute to
 * minute, so only two measurements of the same round can be compared; the median over the rounds is then stable.
 */

import { median, ratio } from "@stock-bazaar/report/statistics";

export interface PairedRatio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/**
 * `values` and `bases` hold a figure for each round. Rounds in which one of them is missing don't count; `undefined` if
 * none is left.
 */
export function pairedRatio(
  values: readonly (number | undefined)[],
  bases: readonly (number | undefined)[],
): PairedRatio | undefined {
  const ratios = values.flatMap((value, round) => ratio(value, bases[round]) ?? []);
  const middle = median(ratios);
  return middle === undefined ? undefined : { median: middle, least: Math.min(...ratios), most: Math.max(...ratios) };
}

/** In odd rounds (from 1) as given, in even rounds reversed: a drift within a round then favours none. */
export function inTurn<Side>(sides: readonly Side[], round: number): readonly Side[] {
  return round % 2 === 1 ? sides : sides.toReversed();
}
