import { describe, expect, test } from "vitest";
import { type Naming, numberLines, type StagedLine } from "./numbering.ts";

const naming: Naming = {
  place: ({ source, line }) => `log-${source}.txt, line ${line}`,
  what: ({ type, quantity, stock }) => `${type} ${quantity} Stock${stock}`,
};

function line(number: number, change: Partial<StagedLine> = {}): StagedLine {
  return { number, source: 1, line: number + 1, stock: 0, type: "buy", quantity: 1, ...change };
}

function ids(lines: readonly StagedLine[], anew = false): string[] {
  return [...numberLines(lines, anew, naming)].map(({ number, id, quantity }) => `${number}→${id} ×${quantity}`);
}

describe("correct numbers", () => {
  test("stay", () => {
    expect(ids([line(1), line(2), line(3)])).toEqual(["1→1 ×1", "2→2 ×1", "3→3 ×1"]);
    expect(ids([])).toEqual([]);
  });

  test("may come in several logs, if the lines are equal", () => {
    expect(ids([line(1), line(1, { source: 2 }), line(1, { source: 3 }), line(2)])).toEqual(["1→1 ×1", "2→2 ×1"]);
  });
});

describe("the first wrong line is named", () => {
  test.each([
    ["starts at 0", [line(0), line(1)], "log-1.txt, line 1: order numbers must start at 1 (got 0). `--renumber`"],
    ["starts at 5", [line(5)], "log-1.txt, line 6: the next order must have the number 1 (got 5)"],
    [
      "has a gap",
      [line(1), line(3), line(5)],
      "log-1.txt, line 4: the next order must have the number 2 (got 3). `--renumber` gives all orders new numbers",
    ],
    [
      "comes twice",
      [line(1), line(2), line(2, { source: 2, quantity: 7 })],
      'log-2.txt, line 3: order 2 must be "buy 1 Stock0", as in log-1.txt, line 3 (got "buy 7 Stock0"). `--renumber`',
    ],
  ])("%s", (_case, lines, message) => {
    expect(() => ids(lines)).toThrow(message);
  });
});

test("with new numbers, orders keep their sequence, equal lines count once, and different ones with one number all count", () => {
  const lines = [
    line(0),
    line(0, { source: 2 }),
    line(4, { quantity: 2 }),
    line(4, { quantity: 3 }),
    line(4, { source: 2, quantity: 2 }),
    line(9),
  ];
  expect(ids(lines, true)).toEqual(["0→1 ×1", "4→2 ×2", "4→3 ×3", "9→4 ×1"]);
});
