import type { ClusterState, ReplicaState } from "@stock-bazaar/front-end/bazaar";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { statusOf } from "../support/builders.ts";
import { createTestClient, expectFailure, type TestClient } from "./support/client.ts";

let client: TestClient;
beforeAll(async () => {
  client = await createTestClient();
});
afterAll(() => client.close());

const leader: ReplicaState = {
  id: 2,
  state: "live",
  status: statusOf(2, { role: "leader", term: 4, leader: 2, lastId: 42, liveFollowers: [1] }),
};
const cluster: ClusterState = {
  leader: 2,
  term: 4,
  replicas: [
    {
      id: 1,
      state: "live",
      status: statusOf(1, { role: "follower", term: 4, leader: 2, lastId: 40, liveFollowers: [] }),
    },
    leader,
    {
      id: 3,
      state: "silent",
      status: statusOf(3, { role: "taking-over", term: 3, leader: 3, lastId: 7, liveFollowers: [] }),
    },
    { id: 4, state: "away", status: undefined },
  ],
  catalog: { state: "live", head: 43, stocks: 10 },
  cache: { capacity: 1000, size: 4, hits: 120, misses: 5, leased: true },
  frontEnds: [
    { address: "127.0.0.1:8080", live: true, dialect: "bazaar" },
    { address: "127.0.0.1:8081", live: false, dialect: "streaming" },
  ],
};

/** A client of a front-end that sees this cluster. */
async function seeing(changes: Partial<ClusterState>): Promise<TestClient> {
  return createTestClient({ changes: { cluster: async () => ({ ...cluster, ...changes }) } });
}

describe("GET /healthz", () => {
  test("reports that the process is up", async () => {
    const answer = await client.get("/healthz");
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('{"data":{"status":"ok"}}');
  });
});

describe("GET /readyz", () => {
  const silentCatalog = "Not ready: the catalog does not answer";
  const refusingCatalog = "Not ready: the catalog's ledger was longer once; restore the right catalog.db or rebuild it";
  const readOnlyCatalog =
    "Not ready: the catalog answers lookups but can't write its ledger; see /cluster for the reason";
  const leaderless = "Not ready: no order replica leads";

  const otherVersion =
    "Not ready: a service uses another version of the messages than this front-end; the log names it";

  test("is ready while one replica uses another version", async () => {
    const asked = await seeing({ otherVersion: true });
    expect((await asked.get("/readyz")).status).toBe(200);
    await asked.close();
  });

  test("is ready when the catalog and a leader answer", async () => {
    const answer = await client.get("/readyz");
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('{"data":{"ready":true}}');
  });

  test.each<[string, Partial<ClusterState>, string]>([
    ["the catalog is away", { catalog: { state: "away", head: undefined } }, silentCatalog],
    ["the catalog refuses everything", { catalog: { state: "refusing", head: undefined } }, refusingCatalog],
    ["the catalog can't write", { catalog: { state: "read-only", head: 43, problem: "locked" } }, readOnlyCatalog],
    ["no replica leads", { leader: 0 }, leaderless],
    ["the leader is unknown", { leader: 9 }, leaderless],
    ["the leader is away", { replicas: [{ ...leader, state: "away" }] }, leaderless],
    ["the leader is frozen", { replicas: [{ ...leader, state: "silent" }] }, leaderless],
    ["the leader has sent no status yet", { replicas: [{ ...leader, status: undefined }] }, leaderless],
    [
      "the catalog uses another version",
      { catalog: { state: "away", head: undefined }, otherVersion: true },
      otherVersion,
    ],
    ["the replicas use another version", { leader: 0, otherVersion: true }, otherVersion],
    [
      "the leader is still taking over",
      { leader: 3, replicas: [{ ...(cluster.replicas[2] ?? leader), state: "live" }] },
      leaderless,
    ],
  ])("is not ready when %s", async (_, changes, message) => {
    const asked = await seeing(changes);
    const answer = await asked.get("/readyz");
    expectFailure(answer, 503, message, "UNAVAILABLE");
    expect(answer.headers["retry-after"]).toBe("1");
    await asked.close();
  });
});

describe("GET /cluster", () => {
  test("returns the leader, the term, and every process with its state, last id and lag", async () => {
    const asked = await seeing({});
    const answer = await asked.get("/cluster");
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      data: {
        leader: 2,
        term: 4,
        front_ends: [
          { address: "127.0.0.1:8080", state: "live", dialect: "bazaar" },
          { address: "127.0.0.1:8081", state: "away", dialect: "streaming" },
        ],
        catalog: { state: "live", last_id: 43, stocks: 10 },
        replicas: [
          { id: 1, state: "live", role: "follower", term: 4, last_id: 40, lag: 3, live_followers: [] },
          { id: 2, state: "live", role: "leader", term: 4, last_id: 42, lag: 1, live_followers: [1] },
          { id: 3, state: "silent", role: "taking-over", term: 3, last_id: 7, lag: 36, live_followers: [] },
          { id: 4, state: "away", role: null, term: null, last_id: null, lag: null, live_followers: null },
        ],
        cache: { capacity: 1000, size: 4, hits: 120, misses: 5, leased: true },
      },
    });
    await asked.close();
  });

  test("counts the lag from the leader when the catalog is away, and never below zero", async () => {
    const asked = await seeing({ catalog: { state: "away", head: undefined } });
    expect((await asked.get("/cluster")).body).toMatchObject({
      data: {
        catalog: { state: "away", last_id: null },
        replicas: [{ lag: 2 }, { lag: 0 }, { lag: 35 }, { lag: null }],
      },
    });
    await asked.close();
    const behind = await seeing({ catalog: { state: "live", head: 41 } });
    expect((await behind.get("/cluster")).body).toMatchObject({ data: { replicas: [{ lag: 1 }, { lag: 0 }, {}, {}] } });
    await behind.close();
  });

  test("returns the reason why the catalog can't write", async () => {
    const problem = "/data/catalog.db is locked by process 7 (sqlite3)";
    const asked = await seeing({ catalog: { state: "read-only", head: 43, problem } });
    expect((await asked.get("/cluster")).body).toMatchObject({
      data: { catalog: { state: "read-only", last_id: 43, problem }, replicas: [{ lag: 3 }, {}, {}, {}] },
    });
    const { text } = await asked.get("/metrics");
    expect(text).toContain("bazaar_catalog_up 1\n");
    expect(text).toContain("bazaar_catalog_writable 0\n");
    await asked.close();
  });

  test("has neither lags nor a leader while no service answers", async () => {
    const asked = await seeing({ leader: 0, term: 0, catalog: { state: "away", head: undefined } });
    expect((await asked.get("/cluster")).body).toMatchObject({
      data: { leader: null, term: 0, replicas: [{ lag: null }, { lag: null }, { lag: null }, { lag: null }] },
    });
    await asked.close();
  });

  test("returns the state of the real bazaar", async () => {
    const state = await client.bazaar.cluster();
    expect((await client.get("/cluster")).body).toMatchObject({
      data: {
        leader: state.leader,
        term: state.term,
        catalog: { state: "live" },
        cache: { capacity: state.cache.capacity },
      },
    });
  });
});

describe("GET /metrics", () => {
  /** The values of one metric, by its labels. */
  async function scrape(asked: TestClient): Promise<Map<string, number>> {
    const answer = await asked.get("/metrics");
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    const values = new Map<string, number>();
    for (const line of answer.text.split("\n")) {
      if (line === "" || line.startsWith("# HELP ") || line.startsWith("# TYPE ")) continue;
      const match = /^([a-z][a-z0-9_]*(?:\{.*\})?) (\S+)$/.exec(line);
      expect(match, line).not.toBeNull();
      const [, series = "", value] = match ?? [];
      expect(values.has(series), series).toBe(false);
      values.set(series, Number(value));
    }
    return values;
  }

  const requests = (route: string, method: string, status: string) =>
    `bazaar_http_request_duration_seconds_count{route="${route}",method="${method}",status="${status}"}`;

  test("counts requests by route, method and class of status, never by text from clients", async () => {
    const asked = await createTestClient();
    for (const name of ["GameStart", "GameStart/", "FishCo", "Nope", "%00"]) await asked.get(`/stocks/${name}`);
    await asked.send("HEAD", "/stocks/GameStart");
    await asked.get("/stocks/");
    await asked.get("/nope/1");
    await asked.get("/nope/2");
    await asked.send("DELETE", "/stocks/GameStart");
    const values = await scrape(asked);
    expect(values.get(requests("/stocks/{name}", "GET", "2xx"))).toBe(4);
    expect(values.get(requests("/stocks/{name}", "GET", "4xx"))).toBe(3);
    expect(values.get(requests("unmatched", "GET", "4xx"))).toBe(2);
    expect(values.get(requests("unmatched", "other", "4xx"))).toBe(1);
    expect([...values.keys()].join("\n")).not.toMatch(/Nope|nope|GameStart|DELETE/);
    await asked.close();
  });

  test("the latency is in seconds, and its buckets add up", async () => {
    const asked = await createTestClient();
    await asked.get("/stocks");
    const values = await scrape(asked);
    const labels = 'route="/stocks",method="GET",status="2xx"';
    expect(values.get(`bazaar_http_request_duration_seconds_bucket{le="+Inf",${labels}}`)).toBe(1);
    expect(values.get(`bazaar_http_request_duration_seconds_bucket{le="10",${labels}}`)).toBe(1);
    expect(values.get(`bazaar_http_request_duration_seconds_sum{${labels}}`)).toBeLessThan(10);
    await asked.close();
  });

  test("counts trades by outcome", async () => {
    const asked = await createTestClient();
    const trade = { name: "GameStart", quantity: 1, type: "buy" };
    const key = { "idempotency-key": "k" };
    await asked.post("/orders", trade, key);
    await asked.post("/order", trade);
    await asked.post("/orders", { ...trade, quantity: 2 }, key);
    await asked.post("/orders", { ...trade, quantity: 1_000_000 });
    await asked.post("/buy", { name: "Tux", quantity: 1 });
    await asked.post("/orders", { ...trade, name: "" });
    await asked.post("/orders", { ...trade, quantity: 0 });
    await asked.post("/orders", trade, { "idempotency-key": "" });
    const values = await scrape(asked);
    const outcomes = [...values].filter(([series]) => series.startsWith("bazaar_trades_total"));
    expect(
      Object.fromEntries(outcomes.map(([series, value]) => [series.replace(/^.*outcome="(\w+)".*$/, "$1"), value])),
    ).toEqual({
      accepted: 2,
      insufficient_quantity: 1,
      invalid_stockname: 2,
      invalid_request: 2,
      key_reused: 1,
      unavailable: 0,
      internal_error: 0,
    });
    await asked.close();
  });

  test("counts the trades without an answer", async () => {
    const trade = () => Promise.reject(new BazaarError("UNAVAILABLE", "no answer"));
    const asked = await createTestClient({ changes: { trade } });
    await asked.post("/orders", { name: "GameStart", quantity: 1, type: "buy" });
    const values = await scrape(asked);
    expect(values.get('bazaar_trades_total{outcome="unavailable"}')).toBe(1);
    expect(values.get(requests("/orders", "POST", "5xx"))).toBe(1);
    await asked.close();
  });

  test("exports the current state of the cluster and the cache", async () => {
    const asked = await seeing({});
    for (let scrapes = 0; scrapes < 2; scrapes++) {
      const values = await scrape(asked);
      expect(Object.fromEntries([...values].filter(([series]) => /^bazaar_(?!http|trades)/.test(series)))).toEqual({
        bazaar_leader_id: 2,
        bazaar_leader_term: 4,
        bazaar_live_followers: 1,
        bazaar_catalog_up: 1,
        bazaar_catalog_writable: 1,
        bazaar_ledger_head: 43,
        'bazaar_replica_up{replica="1"}': 1,
        'bazaar_replica_up{replica="2"}': 1,
        'bazaar_replica_up{replica="3"}': 0,
        'bazaar_replica_up{replica="4"}': 0,
        'bazaar_replica_leads{replica="1"}': 0,
        'bazaar_replica_leads{replica="2"}': 1,
        'bazaar_replica_leads{replica="3"}': 0,
        'bazaar_replica_leads{replica="4"}': 0,
        'bazaar_replica_last_id{replica="1"}': 40,
        'bazaar_replica_last_id{replica="2"}': 42,
        'bazaar_replica_last_id{replica="3"}': 7,
        'bazaar_replica_lag_orders{replica="1"}': 3,
        'bazaar_replica_lag_orders{replica="2"}': 1,
        'bazaar_replica_lag_orders{replica="3"}': 36,
        bazaar_cache_hits_total: 120,
        bazaar_cache_misses_total: 5,
        bazaar_cache_size: 4,
        bazaar_cache_capacity: 1000,
        bazaar_cache_leased: 1,
      });
    }
    await asked.close();
  });

  test("exports what the process uses", async () => {
    const values = await scrape(client);
    expect(values.get("process_resident_memory_bytes")).toBeGreaterThan(1_000_000);
    // The total, including what was spent before the first scrape.
    const { user, system } = process.cpuUsage();
    expect(values.get("process_cpu_seconds_total")).toBeGreaterThan((0.5 * (user + system)) / 1e6);
    expect(values.get("process_cpu_seconds_total")).toBeLessThanOrEqual((user + system) / 1e6);
    expect(values.get("process_open_fds")).toBeGreaterThan(0);
    expect(values.get("nodejs_heap_size_used_bytes")).toBeGreaterThan(0);
    expect(values.has("nodejs_eventloop_lag_p99_seconds")).toBe(true);
  });

  test("leaves the cluster out if its state is unknown", async () => {
    const asked = await createTestClient({ changes: { cluster: () => Promise.reject(new Error("silence")) } });
    const values = await scrape(asked);
    expect(values.has("bazaar_leader_id")).toBe(false);
    expect(values.has("process_cpu_seconds_total")).toBe(true);
    await asked.close();
  });
});
