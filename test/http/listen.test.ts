/** The app on a real socket, for what `app.request()` can't show. */

import { createServer } from "node:net";
import { createApp, createEventFeed } from "@stock-bazaar/front-end/app";
import type { StockLookup } from "@stock-bazaar/front-end/bazaar";
import { createMetrics } from "@stock-bazaar/front-end/http/metrics";
import { type Listening, listen } from "@stock-bazaar/front-end/listen";
import { takeConnections } from "@stock-bazaar/front-end/take-connections";
import { frontEndVariables } from "@stock-bazaar/process/addresses";
import { ConfigError } from "@stock-bazaar/process/environment";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { type Logger, silentLogger } from "@stock-bazaar/process/log";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createTestBazaar, type TestBazaar } from "./support/bazaar.ts";
import { readAnswer, withChanges } from "./support/client.ts";
import {
  headerOf,
  openRaw,
  parseRaw,
  sendRaw,
  sendRawAfterHead,
  sendRawInTurn,
  sendRawUntilReply,
} from "./support/raw-http.ts";

const address = { host: "127.0.0.1", port: 0, variables: frontEndVariables };
const options = { logger: silentLogger, requestTimeoutMs: 5000, keepAliveTimeoutMs: 90_000 };

let backing: TestBazaar;
let http: Listening;
beforeAll(async () => {
  backing = await createTestBazaar();
  http = listen(createApp({ bazaar: backing.bazaar, logger: silentLogger }), address, options);
});
afterAll(async () => {
  await http.stop();
  await backing.close();
});

const trade = JSON.stringify({ name: "GameStart", quantity: 1, type: "sell" });
const jsonHead = "Host: x\r\nContent-Type: application/json\r\nConnection: close\r\n";
const raw = async (...parts: string[]) => parseRaw(await sendRaw(http.port, ...parts));

function chunked(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

describe("every reply on the wire", () => {
  test.each([
    ["GET", "/stocks/GameStart", 200],
    ["HEAD", "/stocks/GameStart", 200],
    ["GET", "/stocks/Nope", 404],
    ["GET", "/stocks/%E0%A4%A", 404],
    ["GET", "/stocks/%00", 404],
    ["GET", "/stocks/", 400],
    ["GET", "/stocks", 200],
    ["GET", "/orders/x", 400],
    ["GET", "/nope", 404],
    ["DELETE", "/orders", 405],
    ["OPTIONS", "/orders", 405],
    ["TRACE", "/orders", 405],
    ["PROPFIND", "/nope", 404],
    ["GET", "/hello?name=%F0%9F%9A%80", 200],
    ["HEAD", "/metrics", 200],
  ])("%s %s has each header once", async (method, path, status) => {
    const reply = await raw(`${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(reply.status).toBe(status);
    expect(headerOf(reply, "content-type")).toHaveLength(1);
    expect(headerOf(reply, "x-request-id")).toHaveLength(1);
    expect(headerOf(reply, "content-length")).toHaveLength(1);
    expect(headerOf(reply, "transfer-encoding")).toEqual([]);
    expect(headerOf(reply, "keep-alive")).toEqual(["timeout=90"]);
    const [length] = headerOf(reply, "content-length");
    if (method === "HEAD") expect(reply.body).toBe("");
    else expect(length).toBe(String(reply.body.length));
    expect(Number(length)).toBeGreaterThan(0);
  });

  test("a 304 has its headers, no body, and leaves the connection usable", async () => {
    const [first = "", second = ""] = await sendRawInTurn(
      http.port,
      "GET /stocks/FishCo HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n",
      "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    const unchanged = parseRaw(first);
    expect(unchanged.status).toBe(304);
    expect(unchanged.body).toBe("");
    for (const name of ["content-type", "content-length", "x-request-id", "etag", "x-cache"]) {
      expect(headerOf(unchanged, name), name).toHaveLength(1);
    }
    expect(parseRaw(second).body).toBe('{"data":{"status":"ok"}}');
  });

  test("HEAD of a stream has no length, like GET, and leaves the connection usable", async () => {
    const many = Array.from({ length: 1500 }, (_, index) => ({ name: `Stock${index}`, priceCents: 1, quantity: 1 }));
    const { bazaar, close } = await createTestBazaar(many);
    const large = listen(createApp({ bazaar, logger: silentLogger }), address, options);
    for (const path of ["/events", "/stocks"]) {
      const head = `HEAD ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
      const closing = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
      const { first, rest } = await sendRawAfterHead(large.port, head, closing);
      const reply = parseRaw(first);
      expect([reply.status, reply.body]).toEqual([200, ""]);
      expect(headerOf(reply, "content-length")).toEqual([]);
      expect(headerOf(reply, "transfer-encoding")).toEqual(["chunked"]);
      expect(parseRaw(rest).body).toBe('{"data":{"status":"ok"}}');
    }
    await large.stop();
    await close();
  });

  test("a list whose catalog stops answering ends without its last chunk", async () => {
    const stocks = Array.from({ length: 1500 }, (_, index) => ({ name: `Stock${index}`, priceCents: 1, quantity: 1 }));
    const { bazaar, close } = await createTestBazaar(stocks);
    const failing = withChanges(bazaar, {
      stocks: (request) =>
        request.start === "" ? bazaar.stocks(request) : Promise.reject(new BazaarError("UNAVAILABLE", "no answer")),
    });
    const cut = listen(createApp({ bazaar: failing, logger: silentLogger }), address, options);
    const received = await sendRaw(cut.port, "GET /stocks HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(received).not.toContain("0\r\n\r\n");
    await cut.stop();
    await close();
  });

  test("one connection serves many requests", async () => {
    const request = "GET /stocks/GameStart HTTP/1.1\r\nHost: x\r\n\r\n";
    const replies = await sendRawInTurn(http.port, ...Array.from({ length: 20 }, () => request));
    expect(replies.map((reply) => parseRaw(reply).status)).toEqual(Array.from({ length: 20 }, () => 200));
  });
});

describe("a body on the wire", () => {
  test("is accepted with its length, in chunks, and after 100 Continue", async () => {
    const withLength = await raw(`POST /orders HTTP/1.1\r\n${jsonHead}Content-Length: ${trade.length}\r\n\r\n${trade}`);
    expect(withLength.status).toBe(200);
    const half = trade.length / 2;
    const inChunks = await raw(
      `POST /orders HTTP/1.1\r\n${jsonHead}Transfer-Encoding: chunked\r\n\r\n`,
      chunked(trade.slice(0, half)),
      chunked(trade.slice(half)),
      "0\r\n\r\n",
    );
    expect(inChunks.status).toBe(200);
    const head = `POST /orders HTTP/1.1\r\n${jsonHead}Expect: 100-continue\r\nContent-Length: ${trade.length}\r\n\r\n`;
    const text = await sendRaw(http.port, head, trade);
    expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  test("is accepted without a 100 if `Expect` is in a letter case that Bun doesn't recognize", async () => {
    const head = `POST /orders HTTP/1.1\r\n${jsonHead}Expect: 100-Continue\r\nContent-Length: ${trade.length}\r\n\r\n`;
    expect(await sendRaw(http.port, head, trade)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test.each([
    ["declared to be over the limit, before it has arrived", [`Content-Length: 65537\r\n\r\n`]],
    ["declared to be a terabyte", [`Content-Length: 1099511627776\r\n\r\n${" ".repeat(1000)}`]],
    [
      "over the limit in chunks that never end",
      ["Transfer-Encoding: chunked\r\n\r\n", ...Array<string>(20).fill(chunked(" ".repeat(8192)))],
    ],
  ])("that is %s is answered with 413 at once", async (_, parts) => {
    const [head = "", ...rest] = parts;
    // The server keeps the connection open for the rest of the body, so the reply is read without waiting for the end.
    const response = await sendRawUntilReply(http.port, `POST /orders HTTP/1.1\r\n${jsonHead}${head}`, ...rest);
    const reply = parseRaw(response);
    expect(reply.status).toBe(413);
    expect(JSON.parse(reply.body)).toEqual({
      error: { code: 413, message: "Request body is larger than 64 KiB", reason: "INVALID_REQUEST" },
    });
    expect(headerOf(reply, "x-request-id")).toHaveLength(1);
    expect(headerOf(reply, "content-length")).toEqual([String(reply.body.length)]);
  });

  test("over the limit by megabytes gets the contract's reply, with an ordinary client", async () => {
    const body = new Blob([" ".repeat(20_000_000)]);
    const headers = { "content-type": "application/json" };
    const answer = await readAnswer(await fetchDirectly(`${http.url}/orders`, { method: "POST", headers, body }));
    expect(answer.status).toBe(413);
    const streamed = await fetchDirectly(`${http.url}/orders`, { method: "POST", headers, body: body.stream() });
    expect((await readAnswer(streamed)).status).toBe(413);
  });

  test("needs its length in POST /buy", async () => {
    const reply = await raw(
      `POST /buy HTTP/1.1\r\n${jsonHead}Transfer-Encoding: chunked\r\n\r\n`,
      chunked('{"name":"FishCo","quantity":1}'),
      "0\r\n\r\n",
    );
    expect(reply.status).toBe(411);
    expect((await raw(`POST /buy HTTP/1.1\r\n${jsonHead}\r\n`)).status).toBe(411);
    expect((await raw(`POST /buy HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)).status).toBe(
      415,
    );
  });

  test("of a GET is ignored", async () => {
    const reply = await raw(`GET /healthz HTTP/1.1\r\n${jsonHead}Content-Length: ${trade.length}\r\n\r\n${trade}`);
    expect(reply.status).toBe(200);
  });
});

describe("requests that Bun refuses before they reach the app", () => {
  test("a name of 10 kB passes", async () => {
    const answer = await readAnswer(await fetchDirectly(`${http.url}/stocks/${"x".repeat(10_240)}`));
    expect(answer.body).toEqual({ error: { code: 404, message: "stock not found", reason: "INVALID_STOCKNAME" } });
  });

  test.each([
    ["a URL of 20 kB", `GET /stocks/${"x".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ["a URL of a megabyte", `GET /stocks/${"x".repeat(1_000_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ["a header of 20 kB", `GET / HTTP/1.1\r\nHost: x\r\nX-A: ${"x".repeat(20_000)}\r\n\r\n`, 431],
    ["a thousand headers", `GET / HTTP/1.1\r\nHost: x\r\n${"X-A: 1\r\n".repeat(1000)}\r\n`, 431],
    ["no HTTP at all", "hello\r\n\r\n", 400],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", 400],
    ["an unknown version", "GET / HTTP/9.9\r\nHost: x\r\n\r\n", 505],
    ["a NUL in the path", "GET /stocks/\0 HTTP/1.1\r\nHost: x\r\n\r\n", 505],
    ["a length that is no number", "POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n", 400],
    ["a negative length", "POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400],
    ["two lengths", "POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", 400],
    [
      "a length and chunks",
      "POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      400,
    ],
    ["a broken chunk", "POST /orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", 400],
  ])("%s is refused, and the connection is closed", async (_, request, status) => {
    expect((await raw(request)).status).toBe(status);
  });

  test.each(["BREW", "get"])(
    "after an unknown method (%s), the connection is closed without a reply",
    async (method) => {
      expect(await sendRaw(http.port, `${method} /healthz HTTP/1.1\r\nHost: x\r\n\r\n`)).toBe("");
    },
  );

  test("a request that Bun doesn't refuse gets a reply of the app", async () => {
    for (const head of ["GET /orders/x HTTP/1.1\r\nHost: a b/%", "GET http://other/orders/x HTTP/1.1\r\nHost: x"]) {
      const reply = await raw(`${head}\r\nConnection: close\r\n\r\n`);
      expect(reply.status).toBe(400);
      expect(JSON.parse(reply.body)).toMatchObject({ error: { message: "Invalid GET request/URL" } });
    }
  });

  test("other clients are served as before", async () => {
    expect((await fetchDirectly(`${http.url}/healthz`)).status).toBe(200);
  });
});

describe("the log of requests", () => {
  const logged = async (level: "debug" | "info", ask: (url: string, port: number) => Promise<unknown>) => {
    const lines: Record<string, unknown>[] = [];
    const logger: Logger = {
      ...silentLogger,
      isLevelEnabled: (asked) => level === "debug" || asked !== "debug",
      debug: (fields: object, msg?: string) => void lines.push({ ...fields, msg }),
      error: () => {},
    };
    const stock = { name: "Cached", priceCents: 1, quantity: 1, volume: 0, rev: 1, life: "life" };
    const bazaar = withChanges(backing.bazaar, {
      peekCached: (name) => (name === "Cached" ? stock : undefined),
      order: () => Promise.reject(new BazaarError("INTERNAL_ERROR", "a bug")),
    });
    const logging = listen(createApp({ bazaar, logger }), address, { ...options, logger });
    await ask(logging.url, logging.port);
    await logging.stop();
    return lines.filter(({ msg }) => msg === "request answered");
  };
  const asks = async (url: string, port: number) => {
    const headers = { "x-request-id": "mine" };
    for (const path of ["/stocks/Cached", "/stocks/Nope", "/stocks/Cached?x", "/healthz", "/orders/1", "/nope"])
      await fetchDirectly(`${url}${path}`, { headers });
    await fetchDirectly(`${url}/orders`, { method: "POST", headers });
    await sendRaw(port, "HEAD /stocks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  };

  test("at debug: a line with the route, the status, the duration and the client", async () => {
    const lines = await logged("debug", asks);
    expect(lines.map(({ method, route, status, cache }) => [method, route, status, cache])).toEqual([
      ["GET", "/stocks/{name}", 200, "hit"],
      ["GET", "/stocks/{name}", 404, expect.stringMatching(/^(miss|bypass)$/)],
      ["GET", "/stocks/{name}", 404, expect.stringMatching(/^(miss|bypass)$/)],
      ["GET", "/healthz", 200, undefined],
      ["GET", "/orders/{number}", 500, undefined],
      ["GET", "unmatched", 404, undefined],
      ["POST", "/orders", 400, undefined],
      ["HEAD", "/stocks", 200, undefined],
    ]);
    for (const line of lines) expect(line).toMatchObject({ ms: expect.any(Number), client: "127.0.0.1" });
    expect(lines.slice(0, -1).every(({ requestId }) => requestId === "mine")).toBe(true);
  });

  test("at info: no line", async () => {
    expect(await logged("info", asks)).toEqual([]);
  });
});

describe("listen", () => {
  test("returns the address that it listens on", async () => {
    expect(http.port).toBeGreaterThan(0);
    expect(http.url).toBe(`http://127.0.0.1:${http.port}`);
    const onIpv6 = listen(
      createApp({ bazaar: backing.bazaar, logger: silentLogger }),
      { ...address, host: "[::1]" },
      options,
    );
    expect((await fetchDirectly(`${onIpv6.url}/healthz`)).status).toBe(200);
    await onIpv6.stop();
  });

  test("names the variable and the value if it can't listen", async () => {
    const app = createApp({ bazaar: backing.bazaar, logger: silentLogger });
    const taken = { ...address, port: http.port };
    expect(() => listen(app, taken, options)).toThrowError(ConfigError);
    expect(() => listen(app, taken, options)).toThrowError(
      new RegExp(`^FRONTEND_PORT must be a free port \\(got "${http.port}"\\): another process`),
    );
    const notOurs = { ...address, host: "203.0.113.7" };
    expect(() => listen(app, notOurs, options)).toThrowError(
      /^FRONTEND_HOST must be a name or an address of this machine, like 127\.0\.0\.1 \(got "203\.0\.113\.7"\)/,
    );
  });

  test("names a port that another program holds too", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    const app = createApp({ bazaar: backing.bazaar, logger: silentLogger });
    expect(() => listen(app, { ...address, port }, options)).toThrowError(/^FRONTEND_PORT must be a free port/);
    await new Promise((resolve) => other.close(resolve));
  });

  test("stop answers the accepted requests, closes idle connections, and accepts no more", async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<StockLookup>();
    const lookup = () => {
      asked.resolve();
      return answer.promise;
    };
    const app = createApp({ bazaar: withChanges(backing.bazaar, { lookup }), logger: silentLogger });
    const stopping = listen(app, address, options);
    const idle = await openRaw(stopping.port, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    const pending = sendRaw(stopping.port, "GET /stocks/GameStart HTTP/1.1\r\nHost: x\r\n\r\n");
    await asked.promise;

    let stopped = false;
    const stop = stopping.stop().then(() => {
      stopped = true;
    });
    await idle.closed;
    await expect(sendRaw(stopping.port, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")).rejects.toThrow(/ECONNREFUSED/);
    expect(stopped).toBe(false);

    answer.resolve({
      stock: { name: "GameStart", priceCents: 1599, quantity: 7, volume: 0, rev: 1, life: "life" },
      cache: "miss",
    });
    expect(parseRaw(await pending).body).toBe('{"data":{"name":"GameStart","price":15.99,"quantity":7}}');
    await stop;
  });

  test("while it drains, it isn't ready, and each reply asks its client to close the connection", async () => {
    const stopping = new AbortController();
    const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const order = async () => {
      asked.resolve();
      await answer.promise;
      return undefined;
    };
    const bazaar = withChanges(backing.bazaar, { order });
    const app = createApp({ bazaar, logger: silentLogger, stopping: stopping.signal });
    const draining = listen(app, address, { ...options, draining: stopping.signal });
    const ask = async (path: string) =>
      parseRaw(await sendRaw(draining.port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`));
    const before = await ask("/readyz");
    expect([before.status, headerOf(before, "keep-alive")]).toEqual([200, ["timeout=90"]]);

    const underWay = sendRaw(draining.port, "GET /orders/1 HTTP/1.1\r\nHost: x\r\n\r\n");
    await asked.promise;
    stopping.abort();
    answer.resolve();
    const readiness = await ask("/readyz");
    expect(readiness.status).toBe(503);
    expect(readiness.body).toContain("Not ready: this front-end is stopping");
    for (const path of ["/readyz", "/healthz", "/stocks/GameStart", "/nope"]) {
      const reply = await ask(path);
      expect([headerOf(reply, "connection"), headerOf(reply, "keep-alive")]).toEqual([["close"], []]);
    }
    expect((await ask("/stocks/GameStart")).status).toBe(200);
    const stopped = draining.stop();
    expect(headerOf(parseRaw(await underWay), "connection")).toEqual(["close"]);
    await stopped;
  });

  test.skipIf(process.platform !== "linux")(
    "of two that share a port, the one that follows can take every new connection",
    async () => {
      const appOf = (quantity: number) => {
        const stock = { name: "GameStart", priceCents: 1599, quantity, volume: 0, rev: 1, life: "life" };
        const lookup = () => ({ stock, cache: "bypass" }) as const;
        return createApp({ bazaar: withChanges(backing.bazaar, { lookup }), logger: silentLogger });
      };
      const shared = { ...options, sharesPort: true };
      let former = listen(appOf(0), address, shared);
      const { port } = former;
      for (let follower = 1; follower <= 3; follower += 1) {
        const next = listen(appOf(follower), { ...address, port }, shared);
        expect(takeConnections(port)).toBe(true);
        const request = "GET /stocks/GameStart HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        for (let count = 0; count < 30; count += 1)
          expect(parseRaw(await sendRaw(port, request)).body).toContain(`"quantity":${follower}`);
        await former.stop();
        expect(parseRaw(await sendRaw(port, request)).body).toContain(`"quantity":${follower}`);
        former = next;
      }
      expect(() => listen(appOf(9), { ...address, port }, options)).toThrowError(/must be a free port/);
      await former.stop();
    },
  );

  test("stop doesn't wait for listeners of events once their feed has ended", async () => {
    const { bazaar } = backing;
    const metrics = createMetrics();
    const events = createEventFeed({ bazaar, metrics, faults: undefined });
    // The request timeout is longer than the test may take, so it can't be what ends the stream.
    const app = createApp({ bazaar, logger: silentLogger, metrics, events });
    const stopping = listen(app, address, { ...options, requestTimeoutMs: 600_000 });
    const { first, closed } = await openRaw(stopping.port, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(first).toContain("text/event-stream");
    events.stop();
    await Promise.all([stopping.stop(), closed]);
  });

  test("stop doesn't wait for ever for a client that never finishes its body", async () => {
    const app = createApp({ bazaar: backing.bazaar, logger: silentLogger });
    const stopping = listen(app, address, { ...options, requestTimeoutMs: 50 });
    const head = `POST /orders HTTP/1.1\r\n${jsonHead}Expect: 100-continue\r\nContent-Length: 100\r\n\r\n`;
    const { first, closed } = await openRaw(stopping.port, head);
    expect(first).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    const startMs = performance.now();
    await stopping.stop();
    await closed;
    // Before the idle timeout of the connection.
    expect(performance.now() - startMs).toBeLessThan(5000);
  });

  test.each([
    [50, 90_000, 90],
    [10_000, 90_000, 90],
    [90_000, 90_000, 95],
    [1000, 1000, 6],
    [10_000, 60_001, 61],
    [235_000, 235_000, 240],
    [235_000, 255_000, 255],
    [251_000, 251_000, 0],
    [10_000, 256_000, 0],
    [600_000, 600_000, 0],
  ])(
    "with a request timeout of %d ms and a keep-alive of %d ms no connection is closed before (%d s)",
    async (requestTimeoutMs, keepAliveTimeoutMs, seconds) => {
      const serve = vi.spyOn(Bun, "serve");
      try {
        const app = createApp({ bazaar: backing.bazaar, logger: silentLogger });
        await listen(app, address, { ...options, requestTimeoutMs, keepAliveTimeoutMs }).stop();
        expect(serve.mock.calls[0]?.[0]).toMatchObject({ idleTimeout: seconds });
      } finally {
        serve.mockRestore();
      }
    },
  );
});
