import { expect, test } from "vitest";
import { parseCpuSeconds } from "./process-cpu.ts";

test("user and system time are the 14th and 15th field, in hundredths of a second", () => {
  const stat = "4711 (bun) S 1 4711 4711 0 -1 4194304 9000 0 0 0 1234 66 0 0 20 0 12 0 100 5000000 2000 184";
  expect(parseCpuSeconds(stat)).toBe(13);
});

test("a name with blanks and parentheses moves no field", () => {
  const stat = "4711 (HTTP (1) x) S 1 4711 4711 0 -1 4194304 9000 0 0 0 50 50 0 0 20 0 12 0 100 5000000 2000 184";
  expect(parseCpuSeconds(stat)).toBe(1);
});

test("another text has no times", () => {
  expect(parseCpuSeconds("")).toBeUndefined();
});
