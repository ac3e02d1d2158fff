import { expect, test } from "vitest";
import { queryOf, searched } from "./stock-pages.ts";

test("the query of the first page, of one after a stock, and of one from a searched name", () => {
  expect(queryOf([])).toBe("limit=100");
  expect(queryOf([{ after: "A" }, { after: "Fish & Co" }])).toBe("limit=100&after=Fish%20%26%20Co");
  expect(queryOf(searched(" Game "))).toBe("limit=100&from=Game");
  expect(queryOf(searched("  "))).toBe("limit=100");
});
