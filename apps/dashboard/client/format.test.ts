import { expect, test } from "vitest";
import { count, milliseconds, nothing, percent, plural, price, rate } from "./format.ts";

test("numbers are formatted for people, with a dash for unknown values", () => {
  expect([count(1234567), price(15.9), rate(0), rate(4.25), rate(38.4), rate(12345)]).toEqual([
    "1,234,567",
    "15.90",
    "0",
    "4.3",
    "38",
    "12,345",
  ]);
  expect([milliseconds(0.42), milliseconds(38.2), milliseconds(1250), percent(0.666)]).toEqual([
    "0.4 ms",
    "38 ms",
    "1.3 s",
    "67 %",
  ]);
  for (const format of [count, rate, milliseconds, percent]) expect(format(null)).toBe(nothing);
  expect([plural(1, "unit"), plural(2, "unit"), plural(0, "unit")]).toEqual(["1 unit", "2 units", "0 units"]);
});
