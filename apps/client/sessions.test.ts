import { expect, test } from "vitest";
import { type Lie, refusal, reply, startSmallBazaar } from "../../test/support/small-bazaar.ts";
import { NoBazaarError, type RunOptions, type RunResult, runSessions } from "./sessions.ts";

const never = new AbortController().signal;

function options(url: string, change: Partial<RunOptions> = {}): RunOptions {
  const base = {
    url,
    type: "session-check",
    clients: 2,
    requests: 20,
    p: 0.5,
    giveUpMs: 0,
    patienceMs: 10_000,
  } as const;
  // 0.1, 0.2, …, 0.9, again and again.
  const random = () => {
    let draw = 0;
    return () => ((draw += 1) % 9) / 10 + 0.1;
  };
  return { ...base, random, ...change };
}

function run(url: string, change: Partial<RunOptions> = {}): Promise<RunResult> {
  return runSessions(options(url, change), () => {}, never);
}

/** Replaces the replies to the matching requests with `change` of the true body. */
function lieAbout(method: string, path: RegExp, change: (truth: unknown) => Response | undefined): Lie {
  return (request, truth) => {
    if (request.method !== method || !path.test(new URL(request.url).pathname)) return undefined;
    return truth().then(change);
  };
}

test("a session looks up, trades, and queries each of its orders at the end", async () => {
  const bazaar = startSmallBazaar();
  const progress: string[] = [];
  const result = await runSessions(
    options(bazaar.url),
    (phase, done, total) => progress.push(`${phase} ${done}/${total}`),
    never,
  );
  expect(result).toMatchObject({ ok: true, answered: true, mismatches: { count: 0 }, failures: { count: 0 } });
  expect(result.lookups).toMatchObject({ count: 40, hits: { count: 0 }, misses: { count: 40 } });
  expect(result.trades.accepted).toBe(bazaar.orders.length);
  expect(bazaar.orders.length).toBeGreaterThan(5);
  expect(result.orders).toMatchObject({ count: bazaar.orders.length, found: bazaar.orders.length });
  expect(progress).toContain("requests 40/40");
  expect(progress.at(-1)).toBe(`orders ${bazaar.orders.length}/${bazaar.orders.length}`);
});

test("lookups alone neither trade nor check; a session without a check queries no order", async () => {
  const bazaar = startSmallBazaar();
  const lookups = await run(bazaar.url, { type: "lookup" });
  expect(lookups).toMatchObject({ ok: true, lookups: { count: 40 }, trades: { count: 0 }, orders: { count: 0 } });
  const session = await run(bazaar.url, { type: "session", p: 1 });
  expect(session).toMatchObject({ ok: true, trades: { count: 40 }, orders: { count: 0 } });
  expect(bazaar.requests.filter((request) => request.startsWith("GET /orders"))).toEqual([]);
});

test("a rejected trade is no failure", async () => {
  const bazaar = startSmallBazaar(lieAbout("POST", /orders/, () => refusal(400, "INSUFFICIENT_QUANTITY")));
  const result = await run(bazaar.url, { p: 1 });
  expect(result).toMatchObject({ ok: true, trades: { count: 40, accepted: 0, refused: 40 } });
});

test.each<[string, Lie, string]>([
  [
    "an order with another quantity",
    lieAbout("GET", /orders/, () => reply({ data: { number: 1, name: "GameStart", type: "buy", quantity: 99 } })),
    "order 40 was acknowledged; http:",
  ],
  ["an order that isn't found", lieAbout("GET", /orders/, () => refusal(404, "INVALID_ORDERNUMBER")), "answers 404"],
  [
    "a trade that is accepted without a number",
    lieAbout("POST", /orders/, () => reply({ data: {} })),
    "was answered with 200 no order number",
  ],
  [
    "one number for two trades",
    lieAbout("POST", /orders/, () => reply({ data: { transaction_number: 1 } })),
    "two trades must not get the same number (got 1 twice)",
  ],
  [
    "another stock",
    lieAbout("GET", /stocks\/./, () => reply({ data: { name: "Tux", price: 1, quantity: 1 } })),
    "was answered with Tux",
  ],
  ["a reply without a stock", lieAbout("GET", /stocks\/./, () => reply({ data: "x" })), "answered with 200 no stock"],
  [
    "an old quantity after a trade",
    lieAbout("GET", /stocks\/GameStart/, (truth) => reply(truth as object, { etag: '"0"' })),
    "which this client received (got order 0)",
  ],
])("a mismatch: %s", async (_case, lie, text) => {
  const result = await run(startSmallBazaar(lie).url, { p: 1 });
  expect(result).toMatchObject({ ok: false, answered: true });
  expect(result.mismatches.first.join("\n")).toContain(text);
});

test("an unexpected error is a failure, and the run continues", async () => {
  const bazaar = startSmallBazaar(lieAbout("POST", /orders/, () => refusal(500, "INTERNAL_ERROR")));
  const result = await run(bazaar.url, { p: 1 });
  expect(result).toMatchObject({ ok: false, failures: { count: 40 }, trades: { accepted: 0, refused: 0 } });
  expect(result.failures.first[0]).toMatch(/^the trade to .* was answered with 500 INTERNAL_ERROR$/);
});

test("after a 503 the same key is sent again until there is an answer", async () => {
  const keys: string[] = [];
  const bazaar = startSmallBazaar((request) => {
    if (request.method !== "POST") return undefined;
    const key = request.headers.get("idempotency-key") ?? "";
    keys.push(key);
    return keys.filter((other) => other === key).length === 1
      ? Promise.resolve(refusal(503, "UNAVAILABLE"))
      : undefined;
  });
  const result = await run(bazaar.url, { p: 1, requests: 2, clients: 1, giveUpMs: 60_000 });
  expect(result).toMatchObject({ ok: true, retried: 2, trades: { accepted: 2 } });
  expect(keys).toEqual([keys[0], keys[0], keys[2], keys[2]]);
  expect(keys[0]).not.toBe(keys[2]);
});

test("when one client gets no answer any more, the whole run ends early and reports it", async () => {
  const bazaar = startSmallBazaar(lieAbout("GET", /stocks\/FishCo/, () => refusal(503, "UNAVAILABLE")));
  // The first client looks up only the first stock, the second only the last one.
  const draws = [0, 0.9];
  const random = () => {
    const draw = draws.shift() ?? 0;
    return () => draw;
  };
  const result = await run(bazaar.url, { requests: 1_000_000, p: 0, random });
  expect(result).toMatchObject({ ok: false, answered: false, orders: { count: 0 } });
  expect(result.failures.first).toEqual(["no answer to the lookup of FishCo: 503"]);
});

test("without a bazaar the run rejects before it begins", async () => {
  const { url } = startSmallBazaar(lieAbout("GET", /^\/stocks$/, () => refusal(404, "INVALID_REQUEST")));
  await expect(run(url)).rejects.toThrow(NoBazaarError);
  await expect(run("http://127.0.0.1:1")).rejects.toThrow("no answer from http://127.0.0.1:1: connect ECONNREFUSED");
});

test("an aborted signal ends the run with its reason", async () => {
  const stopping = new AbortController();
  const bazaar = startSmallBazaar();
  const running = runSessions(
    options(bazaar.url, { requests: 1_000_000 }),
    () => stopping.abort(new Error("enough")),
    stopping.signal,
  );
  await expect(running).rejects.toThrow("enough");
});

test("behind a proxy that compresses replies, every reply is read and each trade executes once", async () => {
  const headers = { "content-encoding": "gzip", "content-type": "application/json" };
  const bazaar = startSmallBazaar((_request, truth) =>
    truth().then((body) => new Response(Bun.gzipSync(JSON.stringify(body)), { headers })),
  );
  const result = await run(bazaar.url);
  expect(result).toMatchObject({ ok: true, answered: true, retried: 0, lookups: { count: 40 } });
  expect(result.trades.accepted).toBe(bazaar.orders.length);
  expect(result.orders.found).toBe(bazaar.orders.length);
});
