import { expect, test } from "vitest";
import { ProgressBar, type Terminal } from "./progress-bar.ts";

function record(properties: Omit<Terminal, "write">): { terminal: Terminal; written: string[] } {
  const written: string[] = [];
  return { terminal: { ...properties, write: (text) => written.push(text) }, written };
}

test("on a terminal the bar is redrawn in place, cut off at the edge, and removed at the end", () => {
  const { terminal, written } = record({ isTTY: true, columns: 34 });
  const bar = new ProgressBar(terminal, 4);
  bar.show(1, "1/4 sessions");
  bar.show(9, "9/4");
  bar.say("a line");
  bar.end();
  expect(written).toEqual([
    "\r\u001b[K[######..................] 1/4 se",
    "\r\u001b[K[########################] 9/4",
    "\r\u001b[Ka line\n",
    "\r\u001b[K",
  ]);
});

test("without a terminal only lines are written", () => {
  const { terminal, written } = record({});
  const bar = new ProgressBar(terminal, 4);
  bar.show(1, "1/4");
  bar.say("a line");
  bar.end();
  expect(written).toEqual(["a line\n"]);
});
