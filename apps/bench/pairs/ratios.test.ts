import { expect, test } from "vitest";
import { inTurn, pairedRatio } from "./ratios.ts";

test("a ratio is the median of the rounds' ratios, not the ratio of the medians", () => {
  // The machine became three times as fast in the second round and half as fast in the third.
  expect(pairedRatio([120, 330, 60], [100, 300, 50])).toEqual({ median: 1.2, least: 1.1, most: 1.2 });
  expect(pairedRatio([300, 200], [100, 100])).toEqual({ median: 2.5, least: 2, most: 3 });
});

test("rounds without one of the two figures don't count", () => {
  expect(pairedRatio([undefined, 30, 10, 5], [10, 10, undefined])).toEqual({ median: 3, least: 3, most: 3 });
  expect(pairedRatio([undefined], [1])).toBeUndefined();
  expect(pairedRatio([1], [0])).toBeUndefined();
});

test("every other round is reversed, so that each side is as often early as late", () => {
  const rounds = [1, 2, 3].map((round) => inTurn(["a", "b", "c"], round).join(""));
  expect(rounds).toEqual(["abc", "cba", "abc"]);
});
