import { connect } from "node:net";
import { eventually } from "@stock-bazaar/cluster/wait";
import { expect, test } from "vitest";
import type { Listener } from "./event-feed.ts";
import { openEventStream } from "./event-stream.ts";

function open() {
  let listener: Listener | undefined;
  let left = 0;
  let cut = 0;
  const stream = openEventStream(
    (opened) => {
      listener = opened;
      return () => void (left += 1);
    },
    () => void (cut += 1),
  );
  const send = (text: string) => listener?.send(text);
  return { stream, send, end: () => listener?.end(), left: () => left, cut: () => cut };
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}

test("the sent events arrive in order, until the stream ends", async () => {
  const { stream, send, end, left, cut } = open();
  send("one ");
  send("two ✓");
  end();
  expect(await readAll(stream)).toBe("one two ✓");
  expect([left(), cut()]).toEqual([1, 0]);
});

test("a listener that doesn't read is disconnected at a bound, and gets nothing after it", async () => {
  const { stream, send, left, cut } = open();
  const text = "x".repeat(100_000);
  for (let sent = 0; sent < 1000; sent += 1) send(text);
  expect([left(), cut()]).toEqual([1, 1]);
  const received = await readAll(stream);
  expect(received.length).toBeLessThanOrEqual(2_100_000);
  expect(received.length).toBeGreaterThanOrEqual(2_000_000);
});

test("a listener that reads may receive any amount", async () => {
  const { stream, send, left } = open();
  const reader = stream.getReader();
  const text = "x".repeat(1_000_000);
  for (let sent = 0; sent < 20; sent += 1) {
    send(text);
    expect((await reader.read()).value).toHaveLength(1_000_000);
  }
  expect(left()).toBe(0);
});

test("a listener on a socket that isn't read is disconnected as well", async () => {
  const opened = open();
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(opened.stream) });
  const socket = connect(server.port ?? 0, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await new Promise<void>((resolve) => {
    socket.once("data", () => {
      socket.pause();
      resolve();
    });
    opened.send("first");
  });
  const text = "x".repeat(100_000);
  let sent = 0;
  await eventually(
    "the listener is disconnected",
    () => {
      opened.send(text);
      sent += text.length;
      return opened.left() === 1;
    },
    { timeoutMs: 10_000, pollMs: 2 },
  );
  // The bound, plus what the kernel buffers for a socket.
  expect(sent).toBeLessThan(50_000_000);
  socket.destroy();
  await server.stop(true);
});

test("a client that disconnects is removed and gets no more events", async () => {
  const { stream, send, end, left } = open();
  await stream.cancel();
  expect(left()).toBe(1);
  send("after the end");
  end();
  expect(left()).toBe(1);
});
