/** A client that never reads what it asked for costs bounded memory, and loses its connection; others don't notice. */

import { connect } from "node:net";
import { eventually } from "@stock-bazaar/cluster/wait";
import type { Listener } from "./events/event-feed.ts";
import { openEventStream } from "./events/event-stream.ts";
import type { Connection } from "./http/connection.ts";
import { listen } from "./listen.ts";
import { frontEndVariables } from "@stock-bazaar/process/addresses";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { silentLogger } from "@stock-bazaar/process/log";
import { type Context, Hono } from "hono";
import { expect, onTestFinished, test } from "vitest";

/** A front-end whose `/events` hands its listeners out. */
function start() {
  const listeners: Listener[] = [];
  let left = 0;
  const app = new Hono();
  app.get("/events", (context: Context) => {
    const connection = context.env as Connection;
    const stream = openEventStream(
      (listener) => {
        listeners.push(listener);
        return () => void (left += 1);
      },
      () => connection.endSoon(context.req.raw),
    );
    return new Response(stream, { headers: { "content-type": "text/event-stream" } });
  });
  app.get("/other", (context) => context.text("served"));
  const server = listen(
    app,
    { host: "127.0.0.1", port: 0, variables: frontEndVariables },
    { logger: silentLogger, requestTimeoutMs: 10_000, keepAliveTimeoutMs: 90_000 },
  );
  onTestFinished(() => server.stop());
  return { url: server.url, port: server.port, listeners, left: () => left };
}

test("a listener that never reads is cut off at a bound, its connection too, and others are served", async () => {
  const { url, port, listeners, left } = start();
  const socket = connect(port, "127.0.0.1");
  let isClosed = false;
  // Without a reader of data, the socket takes nothing beyond its buffers.
  socket.pause();
  socket.on("close", () => void (isClosed = true));
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  socket.write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await eventually("it listens", () => listeners.length === 1);
  const event = `data: ${"x".repeat(100_000)}\n\n`;
  let sent = 0;
  await eventually("it is cut off", () => {
    for (let count = 0; count < 20 && left() === 0; count += 1, sent += 1) listeners[0]?.send(event);
    return left() === 1;
  });
  expect(sent * event.length).toBeLessThan(40_000_000);
  expect(await (await fetchDirectly(`${url}/other`)).text()).toBe("served");
  await eventually("its connection is closed", () => {
    // The end is seen only by who reads: what was sent before may be read now.
    socket.resume();
    return isClosed;
  });
});
