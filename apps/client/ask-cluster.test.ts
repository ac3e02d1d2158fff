import type { Cluster } from "@stock-bazaar/contract/replies";
import { expect, test } from "vitest";
import { reply, startSmallBazaar } from "../../test/support/small-bazaar.ts";
import { askCluster } from "./ask-cluster.ts";

const cluster: Cluster = {
  leader: 3,
  term: 7,
  catalog: { state: "live", last_id: 120, stocks: 10 },
  front_ends: [{ address: "127.0.0.1:8080", state: "live", dialect: "bazaar" }],
  replicas: [{ id: 3, state: "live", role: "leader", term: 7, last_id: 120, lag: 0, live_followers: [] }],
  cache: { capacity: 1000, size: 10, hits: 75, misses: 25, leased: true },
};

test("reads the whole state, whatever a newer bazaar adds to it", async () => {
  const { url } = startSmallBazaar(async () => reply({ data: { ...cluster, weather: "fine" } }));
  await expect(askCluster(url)).resolves.toEqual(cluster);
});

test("a reply that is no bazaar's is refused, and says what it was", async () => {
  const { url } = startSmallBazaar(async () => reply({ data: { ...cluster, leader: "me" } }));
  await expect(askCluster(url)).rejects.toThrow(`${url} must answer like a bazaar (got 200 {"data":`);
});

test("so is a failure, in its own words", async () => {
  const message = "State could not be read: no answer in time; try again";
  const { url } = startSmallBazaar(async () => Response.json({ error: { code: 503, message } }, { status: 503 }));
  await expect(askCluster(url)).rejects.toThrow(message);
});

test("nobody there is told with the reason", async () => {
  await expect(askCluster("http://127.0.0.1:1")).rejects.toThrow("no answer from http://127.0.0.1:1: ");
});

test("a question that is under way ends with its signal", async () => {
  const asking = new AbortController();
  const { url } = startSmallBazaar(() => {
    asking.abort();
    return new Promise(() => {});
  });
  await expect(askCluster(url, asking.signal)).rejects.toThrow("no answer");
  await expect(askCluster(url, asking.signal)).rejects.toThrow("abort");
});
