import { expect, test } from "vitest";
import { parseCpuSeconds, parseMachineCpu } from "./process-cpu.ts";

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

test("the machine is busy with everything but idling and waiting for the disk", () => {
  const stat = "cpu  1000 100 500 4000 400 10 20 70 900 0\ncpu0 500 50 250 2000 200 5 10 35 450 0\n";
  expect(parseMachineCpu(stat)).toEqual({ busySeconds: 17, totalSeconds: 61 });
  expect(parseMachineCpu("intr 1 2 3")).toBeUndefined();
});
