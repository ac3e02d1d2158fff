import { expect, test } from "vitest";
import { describeMachine, formatMachine } from "./machine.ts";

const example = {
  cpu: "Example CPU",
  cores: 2,
  memoryGib: 8,
  system: "linux 6.1.0 x86_64",
  bun: "1.4.5",
  fileSystem: "ext4",
  fsyncMs: 0.5,
};

test("the machine is described in one sentence, with the load tool if there was one", () => {
  expect(formatMachine("2026-01-02T03:04:05.000Z", example)).toBe(
    "2026-01-02: Example CPU, 2 cores, 8 GiB, linux 6.1.0 x86_64, Bun 1.4.5; databases on ext4,\n" +
      "where 4 KiB and an fsync take 0.50 ms.",
  );
  expect(formatMachine("2026-01-02T03:04:05.000Z", { ...example, loadTool: "wrk 4.1.0" })).toContain(
    "Bun 1.4.5, wrk 4.1.0; databases",
  );
});

test("the kernel's version is shown without the suffix of a build", () => {
  expect(describeMachine().system).toMatch(/^\S+ \d+(\.\d+)* \S+$/);
});
