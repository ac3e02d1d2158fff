import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { reply, startSmallBazaar } from "../../test/support/small-bazaar.ts";
import { askStatus, describeStatus, isAnswered, type Status } from "./cluster-status.ts";

const status: Status = {
  url: "http://127.0.0.1:8080",
  ready: true,
  at: "2026-01-01T00:00:02.000Z",
  leader: 3,
  term: 2,
  catalog: { state: "live", last_id: 120, stocks: 10 },
  front_ends: [
    { address: "127.0.0.1:8080", state: "live", dialect: "bazaar" },
    { address: "127.0.0.1:8081", state: "away", dialect: "toy-store" },
  ],
  replicas: [
    { id: 1, state: "live", role: "follower", term: 2, last_id: 118, lag: 2, live_followers: [] },
    { id: 2, state: "away", role: null, term: null, last_id: null, lag: null, live_followers: null },
    { id: 3, state: "live", role: "leader", term: 2, last_id: 120, lag: 0, live_followers: [1] },
  ],
  cache: { capacity: 1000, size: 10, hits: 75, misses: 25, leased: true },
};

test("the leader is marked, and an unknown value is a dash", () => {
  expect(describeStatus(status)).toBe(`http://127.0.0.1:8080: ready to trade; replica 3 leads in term 2

process                   state  role              term  last id  lag
front-end 127.0.0.1:8080  live   speaks bazaar
front-end 127.0.0.1:8081  away   speaks toy-store
catalog                   live                               120
 order-1                  live   follower             2      118    2
 order-2                  away   –                    –        –    –
*order-3                  live   leader               2      120    0

cache: 10 of 1,000 stocks; it answered 75% of 100 lookups
`);
});

test("of several catalogs the active one and the standbys are listed, and neither is a problem", () => {
  const catalogs = [
    { address: "10.0.0.1:6000", state: "standby" },
    { address: "10.0.0.2:6000", state: "active" },
  ] as const;
  const text = describeStatus({ ...status, catalogs: [...catalogs] });
  expect(text).toContain("ready to trade");
  expect(text).toMatch(
    /^catalog +live +120\ncatalog 10\.0\.0\.1:6000 +standby\ncatalog 10\.0\.0\.2:6000 +active\n order-1 /m,
  );
});

test("a rate needs an earlier status, and a ledger in both", () => {
  const earlier = {
    ...status,
    at: "2026-01-01T00:00:00.000Z",
    catalog: { state: "live", last_id: 20, stocks: 10 },
  } as const;
  expect(describeStatus(status, earlier)).toContain("term 2; 50 orders/s\n");
  expect(describeStatus(status, { ...earlier, catalog: { state: "away", last_id: null, stocks: null } })).not.toContain(
    "orders/s",
  );
  const unanswered = { url: status.url, ready: false, reason: "no answer", at: earlier.at } as const;
  expect(describeStatus(status, unanswered)).not.toContain("orders/s");
});

test("every problem is reported", () => {
  const lost = { ...status, ready: false, reason: "no order replica leads", leader: null };
  expect(describeStatus(lost)).toContain("NOT READY: no order replica leads; no replica leads");
  expect(describeStatus({ ...status, cache: { ...status.cache, leased: false } })).toContain("; no lease");
  const problem = "/data/catalog.db is locked by process 7 (sqlite3)";
  const readOnly = { ...status, catalog: { state: "read-only", last_id: 120, stocks: 10, problem } } as const;
  expect(describeStatus(readOnly)).toMatch(/^catalog +read-only +120$/m);
  expect(describeStatus(readOnly)).toContain(`\ncatalog can't write: ${problem}\n`);
  expect(describeStatus({ ...status, cache: { ...status.cache, capacity: 0 } })).toContain("\ncache off\n");
});

test("a reply that isn't a bazaar's counts as no answer", async () => {
  const { url } = startSmallBazaar(async () => reply({ data: { leader: "me" } }));
  const found = await askStatus(url);
  expect(isAnswered(found)).toBe(false);
  expect(found).toMatchObject({
    ready: false,
    reason: `${url} must answer like a bazaar (got 200 {"data":{"leader":"me"}})`,
  });
});

test("the reason doesn't repeat that the bazaar isn't ready", async () => {
  const message = "Not ready: no order replica leads";
  const { url: _, ready: __, at: ___, ...data } = status;
  const { url } = startSmallBazaar(async (request) =>
    request.url.endsWith("/readyz")
      ? Response.json({ error: { code: 503, message, reason: "UNAVAILABLE" } }, { status: 503 })
      : reply({ data }),
  );
  expect(await askStatus(url)).toMatchObject({ ready: false, reason: "no order replica leads" });
});

test("a proxy may close the connection after each reply without notice", async () => {
  const { url: _, ready: __, at: ___, ...data } = status;
  const proxy = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (head) => {
      const body = JSON.stringify({ data: head.includes("/readyz") ? { ready: true } : data });
      socket.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    });
  });
  proxy.listen(0, "127.0.0.1");
  onTestFinished(() => void proxy.close());
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;
  expect(await askStatus(`http://127.0.0.1:${port}`)).toMatchObject({ ready: true, leader: 3 });
});
