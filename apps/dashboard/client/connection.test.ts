import { expect, test } from "vitest";
import type { ServerEvent } from "@stock-bazaar/contract/events";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { connect, type Source } from "./connection.ts";

function setUp(stocks?: string) {
  const clock = new ManualClock();
  const opened: {
    url: string;
    isClosed: boolean;
    send: (type: string, data?: unknown, lastEventId?: string) => void;
  }[] = [];
  const received: ServerEvent[] = [];
  const counts = { lost: 0 };
  const refusals: string[] = [];
  const open = (url: string): Source => {
    const listeners = new Map<string, (event: { data?: unknown; lastEventId?: string }) => void>();
    const source = {
      url,
      isClosed: false,
      send: (type: string, data: unknown = null, lastEventId = "") =>
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
    receive: (event) => received.push(event),
    lost: () => (counts.lost += 1),
    refused: (message) => void refusals.push(message),
    ...(stocks === undefined ? {} : { stocks }),
  });
  const latest = () => {
    const source = opened.at(-1);
    if (!source) throw new Error("nothing was opened");
    return source;
  };
  return { clock, opened, received, counts, refusals, close, latest };
}

test("events are passed on, and the connection is kept as long as events arrive", async () => {
  const { clock, opened, received, counts, latest } = setUp();
  expect(latest().url).toBe("/events");
  for (let second = 0; second < 60; second += 1) {
    latest().send("sample", { at: "" });
    await clock.advance(1000);
  }
  expect(received).toHaveLength(60);
  expect(opened).toHaveLength(1);
  expect(counts.lost).toBe(0);
});

test("the stocks on the page are requested each time the connection opens", async () => {
  const { clock, latest } = setUp("limit=100&after=A%20B");
  expect(latest().url).toBe("/events?limit=100&after=A%20B");
  latest().send("orders", { skipped: 0, orders: [] }, "165");
  latest().send("error");
  await clock.advance(1000);
  expect(latest().url).toBe("/events?limit=100&after=A%20B&last-event-id=165");
});

test("after an error the connection opens again, from the last order on", async () => {
  const { clock, opened, received, counts, latest } = setUp();
  latest().send("orders", { skipped: 0, orders: [] }, "165");
  const [first] = opened;
  latest().send("error");
  expect(first?.isClosed).toBe(true);
  expect(counts.lost).toBe(1);
  await clock.advance(300);
  expect(latest().url).toBe("/events?last-event-id=165");
  first?.send("sample", {});
  expect(received).toHaveLength(1);
});

test("a silent connection counts as lost, although it is open", async () => {
  const { clock, opened, counts, latest } = setUp();
  latest().send("hello", { faults: false });
  await clock.advance(3999);
  expect(counts.lost).toBe(0);
  await clock.advance(1);
  expect(counts.lost).toBe(1);
  expect(opened[0]?.isClosed).toBe(true);
});

test("retries slow down to one every 3 s, and are fast again after an event", async () => {
  const { clock, opened, latest } = setUp();
  const waits: number[] = [];
  for (let attempt = 0; attempt < 6; attempt += 1) {
    latest().send("error");
    const before = opened.length;
    let waitedMs = 0;
    for (; opened.length === before; waitedMs += 100) await clock.advance(100);
    waits.push(waitedMs);
  }
  expect(waits).toEqual([300, 600, 1200, 2400, 3000, 3000]);
  latest().send("hello", { faults: false });
  latest().send("error");
  await clock.advance(300);
  expect(opened).toHaveLength(8);
});

test("a refused connection stays closed, and the reason is reported", async () => {
  const { clock, opened, counts, refusals, latest } = setUp();
  latest().send("refused", "A token is required");
  latest().send("error");
  await clock.advance(60_000);
  expect(refusals).toEqual(['"A token is required"']);
  expect(opened.map(({ isClosed }) => isClosed)).toEqual([true]);
  expect(counts.lost).toBe(0);
});

test("a closed connection stays closed", async () => {
  const { clock, opened, close } = setUp();
  close();
  await clock.advance(60_000);
  expect(opened.map(({ isClosed }) => isClosed)).toEqual([true]);
  expect(clock.timers).toBe(0);
});
