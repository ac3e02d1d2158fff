import { expect, test } from "vitest";
import { Random } from "./random.ts";

function draw(random: Random, count = 1000): number[] {
  return Array.from({ length: count }, () => random.next());
}

test("the same seed gives the same numbers, whatever it consists of", () => {
  expect(draw(new Random(7, 3))).toEqual(draw(new Random(7, 3)));
  expect(draw(new Random(7), 3)).toEqual([0.7227507401257753, 0.9872626690194011, 0.6446148802060634]);
});

test("neighbouring seeds give different numbers from the first on", () => {
  const firsts = Array.from({ length: 1000 }, (_, seed) => [seed, 0, 1].map((part) => new Random(seed, part).next()));
  expect(new Set(firsts.flat()).size).toBeGreaterThan(1990);
});

test("numbers are spread evenly from 0 up to 1", () => {
  const numbers = draw(new Random(1), 10_000);
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  for (const limit of [0.1, 0.5, 0.9])
    expect(numbers.filter((number) => number < limit).length / numbers.length).toBeCloseTo(limit, 1);
});

test("whole numbers reach both ends, and a sample has no entry twice", () => {
  const random = new Random(5);
  expect(new Set(Array.from({ length: 200 }, () => random.whole(3, 5)))).toEqual(new Set([3, 4, 5]));
  expect(random.sample(["a", "b", "c", "d"], 4)).toEqual(["a", "b", "c", "d"]);
  expect(new Set(random.sample(["a", "b", "c", "d"], 3)).size).toBe(3);
  expect(random.sample(["a"], 3)).toEqual(["a"]);
});
