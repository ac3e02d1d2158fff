import { expect, test } from "vitest";
import { columns, markdownTable } from "./table.ts";

test("columns in Markdown are as wide as their widest cell, with numbers aligned to the right", () => {
  const rows = [
    ["lookups", "1,000"],
    ["p99", "7"],
  ];
  expect(markdownTable(["what", "n"], 1, rows)).toEqual([
    "| what    |     n |",
    "| ------- | ----: |",
    "| lookups | 1,000 |",
    "| p99     |     7 |",
  ]);
});

test("rows of plain columns have no trailing blanks", () => {
  expect(
    columns([
      ["a", "bb", ""],
      ["ccc", "d", "e"],
    ]),
  ).toEqual(["a    bb", "ccc  d   e"]);
  expect(
    columns(
      [
        ["a", "10"],
        ["b", "9"],
      ],
      1,
    ),
  ).toEqual(["a  10", "b   9"]);
});
