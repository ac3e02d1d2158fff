import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createTestClient, expectFailure, strangeNames, type TestClient } from "./support/client.ts";

let client: TestClient;
beforeAll(async () => {
  client = await createTestClient();
});
afterAll(() => client.close());

/** Looks the stock up, so that the cache has it. */
async function cached(name: string): Promise<void> {
  await client.get(`/stocks/${name}`);
  expect((await client.get(`/stocks/${name}`)).headers["x-cache"]).toBe("hit");
}

describe("x-cache", () => {
  test("the first lookup asks the catalog, the second is a hit, and both return the same", async () => {
    await client.get("/stocksCache/GameStart");
    const first = await client.get("/stocks/GameStart");
    expect(first.headers["x-cache"]).toBe("miss");
    const second = await client.get("/stocks/GameStart");
    expect(second.headers["x-cache"]).toBe("hit");
    expect(second.text).toBe(first.text);
  });

  test("a hit has the same reply and count with and without the router", async () => {
    const stock = { name: "X", priceCents: 100, quantity: 1, volume: 0, rev: 1, life: "life" };
    const asked = client.beside({ changes: { peekCached: () => stock, lookup: () => ({ stock, cache: "hit" }) } });
    const requests = async () => {
      const { text } = await asked.get("/metrics");
      return Number(/^bazaar_http_\w+_count\{route="\/stocks\/\{name\}",.*status="2xx"\} (\d+)$/m.exec(text)?.[1] ?? 0);
    };
    const headers = { "x-request-id": "same" };
    const past = await asked.get("/stocks/X", headers);
    expect(await requests()).toBe(1);
    // A query on this path has no meaning, but it sends the request to the router.
    const through = await asked.get("/stocks/X?through=router", headers);
    expect(await requests()).toBe(2);
    expect(past).toEqual(through);
    expect(past.headers).toMatchObject({ "x-cache": "hit", "x-request-id": "same" });
  });

  test("a lookup after a trade doesn't return the quantity before it", async () => {
    await cached("FishCo");
    const { body } = await client.get("/stocks/FishCo");
    const { quantity } = (body as { data: { quantity: number } }).data;
    expect((await client.post("/orders", { name: "FishCo", quantity: 2, type: "buy" })).status).toBe(200);
    expect((await client.get("/stocks/FishCo")).body).toMatchObject({ data: { quantity: quantity - 2 } });
  });

  test.each(["hit", "miss", "bypass"] as const)(
    "is %s if the bazaar returns that, whether the stock exists or not",
    async (cache) => {
      const stock = { name: "X", priceCents: 100, quantity: 1, volume: 0, rev: 1, life: "life" };
      const lookup = async (name: string) => ({ stock: name === "X" ? stock : undefined, cache });
      const answering = await createTestClient({ changes: { lookup } });
      for (const path of [
        "/stocks/X",
        "/stocks/Y",
        "/stocks?stockname=X",
        "/stock/X",
        "/stock/Y",
        "/products/X",
        "/products/Y",
      ]) {
        expect((await answering.get(path)).headers["x-cache"]).toBe(cache);
      }
      await answering.close();
    },
  );
});

describe("GET /stocksCache/{name}", () => {
  test("drops the name", async () => {
    await cached("GameStart");
    const answer = await client.get("/stocksCache/GameStart");
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('{"data":{"code":200,"message":"Cache Invalidation done"}}');
    expectFailure(await client.get("/stocksCacheLookup/GameStart"), 404, "stock not found", "INVALID_STOCKNAME");
    expect((await client.get("/stocks/GameStart")).headers["x-cache"]).toBe("miss");
  });

  test.each(strangeNames)("%s can be dropped too", async (_, name) => {
    const answer = await client.get(`/stocksCache/${encodeURIComponent(name)}`);
    expect(answer.body).toEqual({ data: { code: 200, message: "Cache Invalidation done" } });
  });

  test("no name is an invalid request", async () => {
    expectFailure(await client.get("/stocksCache/"), 400, "Invalid GET request/URL", "INVALID_REQUEST");
    expectFailure(await client.get("/stocksCache"), 400, "Invalid GET request/URL", "INVALID_REQUEST");
  });
});

describe("GET /stocksCacheLookup/{name}", () => {
  test("answers like a lookup for a stock in the cache", async () => {
    await cached("GameStart");
    const answer = await client.get("/stocksCacheLookup/GameStart");
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('{"data":{"name":"GameStart","price":15.99,"quantity":100}}');
    expect(answer.headers["x-cache"]).toBe("hit");
    const tag = answer.headers.etag ?? "";
    expect((await client.get("/stocksCacheLookup/GameStart", { "if-none-match": tag })).status).toBe(304);
  });

  test("doesn't find a stock that was never looked up, and doesn't look it up", async () => {
    const lookup = vi.fn();
    const asked = await createTestClient({ changes: { lookup } });
    const answer = await asked.get("/stocksCacheLookup/BoarCo");
    expectFailure(answer, 404, "stock not found", "INVALID_STOCKNAME");
    expect(answer.headers["x-cache"]).toBe("miss");
    expect(lookup).not.toHaveBeenCalled();
    await asked.close();
  });

  test.each(strangeNames)("%s isn't in the cache", async (_, name) => {
    const answer = await client.get(`/stocksCacheLookup/${encodeURIComponent(name)}`);
    expectFailure(answer, 404, "stock not found", "INVALID_STOCKNAME");
  });

  test("no name is an invalid request", async () => {
    expectFailure(await client.get("/stocksCacheLookup/"), 400, "Invalid GET request/URL", "INVALID_REQUEST");
  });
});
