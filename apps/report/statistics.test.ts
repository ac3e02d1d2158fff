import { expect, test } from "vitest";
import { median, percentile, ratio } from "./statistics.ts";

test("the median is the middle value, whatever the order", () => {
  expect(median([30, 10, 20])).toBe(20);
  expect(median([5])).toBe(5);
});

test("the median of an even number of values is the mean of the two in the middle", () => {
  expect(median([40, 10, 30, 20])).toBe(25);
});

test("the median of no values is undefined", () => {
  expect(median([])).toBeUndefined();
});

test("the values aren't sorted in place", () => {
  const values = [3, 1, 2];
  median(values);
  expect(values).toEqual([3, 1, 2]);
});

test("a percentile is one of the values", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect(percentile(hundred, 50)).toBe(50);
  expect(percentile(hundred, 99)).toBe(99);
  expect(percentile([7], 50)).toBe(7);
  expect(percentile([7], 99)).toBe(7);
  expect(percentile([], 99)).toBe(0);
});

test("a ratio needs both numbers and a base other than 0", () => {
  expect(ratio(30, 120)).toBe(0.25);
  expect(ratio(0, 120)).toBe(0);
  expect(ratio(undefined, 120)).toBeUndefined();
  expect(ratio(30, undefined)).toBeUndefined();
  expect(ratio(30, 0)).toBeUndefined();
});
