import { expect, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { connect, type Source } from "./connection.ts";
import type { ServerEvent } from "./words.ts";

function setUp(stocks?: string) {
  const clock = new ManualClock();
  const opened: {
    url: string;
    isClosed: boolean;
    say: (type: string, data?: unknown, lastEventId?: string) => void;
  }[] = [];
  const heard: ServerEvent[] = [];
  const counts = { lost: 0 };
  const open = (url: string): Source => {
    const listeners = new Map<string, (event: { data?: unknown; lastEventId?: string }) => void>();
    const source = {
      url,
      isClosed: false,
      say: (type: string, data: unknown = null, lastEventId = "") =>
        listeners.get(type)?.({ data: JSON.stringify(data), lastEventId }),
    };
    opened.push(source);
    return {
      addEventListener: (type, listener) => void listeners.set(type, listener),
      close: () => void (source.isClosed = true),
    };
  };
  const close = connect({
    open,
    after: (delayMs, action) => clock.after(delayMs, action),
    hear: (event) => heard.push(event),
    lost: () => (counts.lost += 1),
    ...(stocks === undefined ? {} : { stocks }),
  });
  const latest = () => {
    const source = opened.at(-1);
    if (!source) throw new Error("nothing was opened");
    return source;
  };
  return { clock, opened, heard, counts, close, latest };
}

test("what comes is heard, and as long as something comes the line is kept", async () => {
  const { clock, opened, heard, counts, latest } = setUp();
  expect(latest().url).toBe("/events");
  for (let second = 0; second < 60; second += 1) {
    latest().say("sample", { at: "" });
    await clock.advance(1000);
  }
  expect(heard).toHaveLength(60);
  expect(opened).toHaveLength(1);
  expect(counts.lost).toBe(0);
});

test("the stocks that are shown are asked for, each time the line is opened", async () => {
  const { clock, latest } = setUp("limit=100&after=A%20B");
  expect(latest().url).toBe("/events?limit=100&after=A%20B");
  latest().say("orders", { skipped: 0, orders: [] }, "165");
  latest().say("error");
  await clock.advance(1000);
  expect(latest().url).toBe("/events?limit=100&after=A%20B&last-event-id=165");
});

test("after an error the line is opened again, from the last order on", async () => {
  const { clock, opened, heard, counts, latest } = setUp();
  latest().say("orders", { skipped: 0, orders: [] }, "165");
  const [first] = opened;
  latest().say("error");
  expect(first?.isClosed).toBe(true);
  expect(counts.lost).toBe(1);
  await clock.advance(300);
  expect(latest().url).toBe("/events?last-event-id=165");
  first?.say("sample", {});
  expect(heard).toHaveLength(1);
});

test("a line on which nothing comes is lost, though it is open", async () => {
  const { clock, opened, counts, latest } = setUp();
  latest().say("hello", { faults: false });
  await clock.advance(3999);
  expect(counts.lost).toBe(0);
  await clock.advance(1);
  expect(counts.lost).toBe(1);
  expect(opened[0]?.isClosed).toBe(true);
});

test("while nobody answers it is tried less often, up to every 3 s, and quickly again after a word", async () => {
  const { clock, opened, latest } = setUp();
  const waits: number[] = [];
  for (let attempt = 0; attempt < 6; attempt += 1) {
    latest().say("error");
    const before = opened.length;
    let waitedMs = 0;
    for (; opened.length === before; waitedMs += 100) await clock.advance(100);
    waits.push(waitedMs);
  }
  expect(waits).toEqual([300, 600, 1200, 2400, 3000, 3000]);
  latest().say("hello", { faults: false });
  latest().say("error");
  await clock.advance(300);
  expect(opened).toHaveLength(8);
});

test("closed, it stays closed", async () => {
  const { clock, opened, close } = setUp();
  close();
  await clock.advance(60_000);
  expect(opened.map(({ isClosed }) => isClosed)).toEqual([true]);
  expect(clock.timers).toBe(0);
});
