import { expect, test } from "vitest";
import { parseCpuSeconds, parseMachineCpu } from "./process-cpu.ts";

test("user and system time are the 14th and 15th fields, in hundredths of a second", () => {
  const stat = "4711 (bun) S 1 4711 4711 0 -1 4194304 9000 0 0 0 1234 66 0 0 20 0 12 0 100 5000000 2000 184";
  expect(parseCpuSeconds(stat)).toBe(13);
});

test("a process name with blanks and parentheses doesn't shift the fields", () => {
  const stat = "4711 (HTTP (1) x) S 1 4711 4711 0 -1 4194304 9000 0 0 0 50 50 0 0 20 0 12 0 100 5000000 2000 184";
  expect(parseCpuSeconds(stat)).toBe(1);
});

test("any other text gives undefined", () => {
  expect(parseCpuSeconds("")).toBeUndefined();
});

test("busy time is all time except idle and iowait", () => {
  const stat = "cpu  1000 100 500 4000 400 10 20 70 900 0\ncpu0 500 50 250 2000 200 5 10 35 450 0\n";
  expect(parseMachineCpu(stat)).toEqual({ busySeconds: 17, totalSeconds: 61 });
  expect(parseMachineCpu("intr 1 2 3")).toBeUndefined();
});
