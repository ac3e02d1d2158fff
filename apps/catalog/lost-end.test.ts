import { describe, expect, test } from "vitest";
import { orderOf, registerOf } from "../../test/support/builders.ts";
import { endsBefore, isShorterThanSeen } from "./lost-end.ts";

describe("a ledger that ends at order 5, compared with the head that a front-end has seen", () => {
  test.each([
    ["is whole when that head was lower", { life: "life", head: 4 }, false],
    ["is whole when that head was the same", { life: "life", head: 5 }, false],
    ["was longer when that head was one order higher", { life: "life", head: 6 }, true],
    ["is whole when that head was of another life: the rebuild was a decision", { life: "old", head: 9 }, false],
  ])("%s", (_case, seen, isShorter) => {
    expect(isShorterThanSeen({ life: "life", head: 5 }, seen)).toBe(isShorter);
  });
});

describe("a ledger in term 12 that ends at order 5 and was rebuilt in term 10, compared with a replica's last order", () => {
  const register = { ...registerOf({ term: 12, head: 5 }), firstTerm: 10 };

  test.each([
    ["is whole when the replica is behind", orderOf(4, { term: 12 }), false],
    ["is whole when both have the same last order", orderOf(5, { term: 12 }), false],
    ["was longer when the replica has one more order, of this life's first term", orderOf(6, { term: 10 }), true],
    ["was longer when the replica has one more order, of the current term", orderOf(6, { term: 12 }), true],
    ["is whole when the replica has more orders of the life before the rebuild", orderOf(6, { term: 9 }), false],
    [
      "is an old copy when the replica has an order of a later term, even with a lower id",
      orderOf(4, { term: 13 }),
      true,
    ],
    ["is an old copy when the replica has more orders, of a later term", orderOf(6, { term: 13 }), true],
  ])("%s", (_case, last, isShorter) => {
    expect(endsBefore(register, last)).toBe(isShorter);
  });

  test("a ledger that was never rebuilt has one life, which begins with term 0", () => {
    const first = { ...registerOf({ term: 1, head: 5 }), firstTerm: 0 };
    expect(endsBefore(first, orderOf(6, { term: 0 }))).toBe(true);
  });
});
