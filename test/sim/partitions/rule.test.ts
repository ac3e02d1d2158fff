/** The rule that shares stocks, order numbers and keys among several ledgers. */

import { expect, test } from "vitest";
import { idOf, numberOf, partitionOfNumber, partitionOfStock } from "./rule.ts";

const partitions = 64;

test.each([1, 2, 1e6, 2 ** 47 - 1])("the number of order %d in its partition leads back to it", (id) => {
  for (const partition of [0, 1, partitions - 1]) {
    const number = numberOf(id, partition, partitions);
    expect(Number.isSafeInteger(number)).toBe(true);
    expect([partitionOfNumber(number, partitions), idOf(number, partitions)]).toEqual([partition, id]);
  }
});

test("a number below all orders leads to no order", () => {
  for (let number = 0; number < partitions; number += 1) expect(idOf(number, partitions)).toBe(0);
});

test("similar names are spread over all partitions", () => {
  const stocks = 100 * partitions;
  const counts = Array.from({ length: partitions }, () => 0);
  for (let number = 0; number < stocks; number += 1) {
    const partition = partitionOfStock(`Stock-${number}`, partitions);
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  expect(Math.min(...counts)).toBeGreaterThan(50);
  expect(Math.max(...counts)).toBeLessThan(200);
});

test("a stock's partition never changes: its orders are there", () => {
  expect(["GameStart", "FishCo", "BoarCo", "MenhirCo"].map((name) => partitionOfStock(name, 4))).toEqual([1, 2, 1, 2]);
});
