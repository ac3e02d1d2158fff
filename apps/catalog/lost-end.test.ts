import { describe, expect, test } from "vitest";
import { orderOf, registerOf } from "../../test/support/builders.ts";
import { endsBefore, isShorterThanSeen } from "./lost-end.ts";

describe("a ledger that ends at order 5, by what a front-end has seen", () => {
  test.each([
    ["is whole when that was less, or the same", { life: "life", head: 4 }, false],
    ["is whole when that was all of it", { life: "life", head: 5 }, false],
    ["was longer when that was one order more", { life: "life", head: 6 }, true],
    [
      "is whole when that was more of another life: a person has decided at the rebuild",
      { life: "old", head: 9 },
      false,
    ],
  ])("%s", (_case, seen, isShorter) => {
    expect(isShorterThanSeen({ life: "life", head: 5 }, seen)).toBe(isShorter);
  });
});

describe("a ledger that ends at order 5, rebuilt before term 10 and now in term 12, by a replica's last order", () => {
  const register = { ...registerOf({ term: 12, head: 5 }), firstTerm: 10 };

  test.each([
    ["is whole when it goes on from there", orderOf(4, { term: 12 }), false],
    ["is whole when both end there", orderOf(5, { term: 12 }), false],
    ["was longer when the replica has an order more, of this life's first term", orderOf(6, { term: 10 }), true],
    ["was longer when the replica has an order more, of the term that runs", orderOf(6, { term: 12 }), true],
    ["is whole when the replica has more of the life before the rebuild", orderOf(6, { term: 9 }), false],
    [
      "is a copy from before a term in which the replica got an order, whatever its number",
      orderOf(4, { term: 13 }),
      true,
    ],
    ["is a copy from before a later term also when the replica has more", orderOf(6, { term: 13 }), true],
  ])("%s", (_case, last, isShorter) => {
    expect(endsBefore(register, last)).toBe(isShorter);
  });

  test("a ledger that was never rebuilt has one life, from term 0 on", () => {
    const first = { ...registerOf({ term: 1, head: 5 }), firstTerm: 0 };
    expect(endsBefore(first, orderOf(6, { term: 0 }))).toBe(true);
  });
});
