import { afterEach, expect, test } from "vitest";
import { BazaarError } from "./errors.ts";
import { BrokenInvariant, invariant, whenInvariantBreaks } from "./invariant.ts";

afterEach(() => whenInvariantBreaks(() => {}));

test("a condition that holds passes", () => {
  invariant(true, "acked ≤ tail", 2, 3);
});

test("a condition that doesn't hold throws, with the rule and the values", () => {
  const broken = () => invariant(false, "acked ≤ tail", 3, 2);
  expect(broken).toThrow(new BrokenInvariant("must hold: acked ≤ tail (got 3 and 2)"));
  expect(BazaarError.from(new BrokenInvariant("")).code).toBe("INTERNAL_ERROR");
  expect(() => invariant(false, "one way in")).toThrow("must hold: one way in");
});

test("the process is notified, even if a caller catches the error", () => {
  const broken: string[] = [];
  whenInvariantBreaks(({ message }) => broken.push(message));
  expect(() => invariant(false, "acked ≤ tail", 3, 2)).toThrow("must hold");
  expect(broken).toEqual(["must hold: acked ≤ tail (got 3 and 2)"]);
});
