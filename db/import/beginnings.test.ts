import { describe, expect, test } from "vitest";
import type { StockOfFile } from "../stock-file.ts";
import { findBeginnings, requirePossible } from "./beginnings.ts";
import type { Naming, NumberedLine } from "./numbering.ts";

const naming: Naming = {
  place: ({ line }) => `log.txt, line ${line}`,
  what: ({ type, quantity }) => `${type} ${quantity} GameStart`,
};

function stockWith(quantity: number): StockOfFile[] {
  return [{ name: "GameStart", priceCents: 1599, quantity, volume: undefined, place: "s.csv, line 2" }];
}

function orders(...changes: readonly (readonly [NumberedLine["type"], number])[]): NumberedLine[] {
  return changes.map(([type, quantity], index) => {
    const id = index + 1;
    return { id, number: id, source: 0, line: id, stock: 0, type, quantity };
  });
}

function check(stocks: readonly StockOfFile[], lines: readonly NumberedLine[]): void {
  requirePossible(findBeginnings(stocks, lines), lines, naming);
}

test("the initial quantity of a stock is today's quantity with all orders undone", () => {
  const lines = orders(["buy", 5], ["sell", 2], ["restock", 100], ["buy", 1]);
  expect(findBeginnings(stockWith(101), lines)).toEqual([
    { stock: stockWith(101)[0], initial: 5, volume: 8, orders: 4 },
  ]);
  check(stockWith(101), lines);
});

test("a stock without orders began with today's quantity", () => {
  expect(findBeginnings(stockWith(7), [])).toMatchObject([{ initial: 7, volume: 0, orders: 0 }]);
});

describe("an impossible order is reported with its line", () => {
  test("a stock below zero on the way", () => {
    expect(() => check(stockWith(3), orders(["buy", 1], ["buy", 3], ["sell", 7]))).toThrow(
      "log.txt, line 1: order 1, buy 1 GameStart: there must have been 1 of GameStart to buy (got 0, from the 3 of s.csv, line 2 and all its orders)",
    );
    expect(() => check(stockWith(3), orders(["buy", 1], ["buy", 3], ["sell", 6]))).toThrow(
      "log.txt, line 2: order 2, buy 3 GameStart: there must have been 3 of GameStart to buy (got 0,",
    );
    check(stockWith(4), orders(["buy", 1], ["sell", 3]));
  });

  test("a stock that began below zero", () => {
    expect(() => check(stockWith(3), orders(["sell", 4]))).toThrow(
      "log.txt, line 1: order 1, sell 4 GameStart: GameStart must have begun with 0 to 2147483647 units (got -1, from the 3 of s.csv, line 2 and its 1 orders)",
    );
  });

  test("more than a stock may begin with", () => {
    expect(() => check(stockWith(1), orders(["buy", 2_147_483_647]))).toThrow("(got 2147483648,");
  });
});
