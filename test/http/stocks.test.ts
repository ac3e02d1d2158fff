import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createTestClient, expectFailure, strangeNames, type TestClient } from "./support/client.ts";

let client: TestClient;
beforeAll(async () => {
  client = await createTestClient();
});
afterAll(() => client.close());

describe("GET /stocks/{name}", () => {
  test("tells name, price and quantity", async () => {
    const answer = await client.get("/stocks/GameStart");
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('{"data":{"name":"GameStart","price":15.99,"quantity":100}}');
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.headers.etag).toBe('"0"');
  });

  test("a trailing slash, a query and an encoded letter change nothing", async () => {
    for (const path of [
      "/stocks/GameStart/",
      "/stocks/GameStart?x=1",
      "/stocks/GameStart/?x=/",
      "/stocks/%47ameStart",
    ]) {
      expect((await client.get(path)).body).toEqual({ data: { name: "GameStart", price: 15.99, quantity: 100 } });
    }
  });

  test("an unknown stock is not found", async () => {
    const answer = await client.get("/stocks/Nope");
    expectFailure(answer, 404, "stock not found", "INVALID_STOCKNAME");
    expect(answer.headers["x-cache"]).toMatch(/^(miss|bypass)$/);
  });

  test.each(strangeNames)("%s is an unknown stock", async (_, name) => {
    const answer = await client.get(`/stocks/${encodeURIComponent(name)}`);
    expectFailure(answer, 404, "stock not found", "INVALID_STOCKNAME");
    expect(answer.headers["x-cache"]).toMatch(/^(miss|bypass)$/);
  });

  test.each(["%E0%A4%A", "%", "%zz", "%C0%AF", "%ED%A0%80", "GameStart%", "%00", "a%2Fb", "%2e%2e%2fstocks"])(
    "%s in the path is an unknown stock",
    async (encoded) => {
      expectFailure(await client.get(`/stocks/${encoded}`), 404, "stock not found", "INVALID_STOCKNAME");
    },
  );

  test("the bazaar isn't asked for a name that no stock can have", async () => {
    const lookup = vi.fn();
    const asked = await createTestClient({ changes: { lookup } });
    const answer = await asked.get(`/stocks/${"x".repeat(256)}`);
    expectFailure(answer, 404, "stock not found", "INVALID_STOCKNAME");
    expect(answer.headers["x-cache"]).toBe("bypass");
    expect(lookup).not.toHaveBeenCalled();
    await asked.close();
  });

  test("the longest name that a stock can have is asked for", async () => {
    const lookup = vi.fn(async () => ({ stock: undefined, cache: "miss" as const }));
    const asked = await createTestClient({ changes: { lookup } });
    await asked.get(`/stocks/${"x".repeat(255)}`);
    expect(lookup).toHaveBeenCalledWith("x".repeat(255));
    await asked.close();
  });

  test("no name is an invalid request", async () => {
    expectFailure(await client.get("/stocks/"), 400, "Invalid GET request/URL", "INVALID_REQUEST");
    expectFailure(await client.get("/stocks/?x=1"), 400, "Invalid GET request/URL", "INVALID_REQUEST");
    expectFailure(await client.get("/stocks//"), 400, "Invalid GET request/URL", "INVALID_REQUEST");
  });

  test("a deeper path is unknown", async () => {
    expectFailure(await client.get("/stocks/GameStart/history"), 404, "Invalid GET request/URL", "INVALID_REQUEST");
  });

  test("HEAD tells what GET tells, without the body", async () => {
    const answer = await client.send("HEAD", "/stocks/GameStart");
    expect(answer.status).toBe(200);
    expect(answer.headers["content-length"]).toBe("58");
    expect(answer.headers.etag).toBe('"0"');
    expect(answer.headers["x-cache"]).toMatch(/^(hit|miss|bypass)$/);
  });

  test("prices have no digits that nobody paid", async () => {
    for (const [priceCents, text] of [
      [1599, "15.99"],
      [1, "0.01"],
      [1000, "10"],
      [110, "1.1"],
      [2_147_483_647_29, "2147483647.29"],
    ] as const) {
      const stock = { name: "X", priceCents, quantity: 1, volume: 0, rev: 7 };
      const priced = await createTestClient({ changes: { lookup: async () => ({ stock, cache: "miss" }) } });
      expect((await priced.get("/stocks/X")).text).toBe(`{"data":{"name":"X","price":${text},"quantity":1}}`);
      await priced.close();
    }
  });
});

describe("the ETag of a lookup", () => {
  test.each(['"7"', 'W/"7"', '"1", "7"', 'W/"1",W/"7" ', "*", ' "7" '])(
    "If-None-Match: %s is answered with 304",
    async (tag) => {
      const stock = { name: "X", priceCents: 100, quantity: 1, volume: 0, rev: 7 };
      const tagged = await createTestClient({ changes: { lookup: async () => ({ stock, cache: "hit" }) } });
      const answer = await tagged.get("/stocks/X", { "if-none-match": tag, "x-request-id": "mine" });
      expect(answer.status).toBe(304);
      expect(answer.headers).toEqual({
        "content-type": "application/json",
        "content-length": String('{"data":{"name":"X","price":1,"quantity":1}}'.length),
        etag: '"7"',
        "x-cache": "hit",
        "x-request-id": "mine",
      });
      await tagged.close();
    },
  );

  test.each(['"8"', "7", '"77"', 'w/"7"', '"7', ""])("If-None-Match: %s is answered with the stock", async (tag) => {
    const stock = { name: "X", priceCents: 100, quantity: 1, volume: 0, rev: 7 };
    const tagged = await createTestClient({ changes: { lookup: async () => ({ stock, cache: "hit" }) } });
    expect((await tagged.get("/stocks/X", { "if-none-match": tag })).status).toBe(200);
    await tagged.close();
  });

  test("a trade changes it", async () => {
    const before = (await client.get("/stocks/FishCo")).headers.etag ?? "";
    expect((await client.get("/stocks/FishCo", { "if-none-match": before })).status).toBe(304);
    await client.post("/orders", { name: "FishCo", quantity: 1, type: "buy" });
    const answer = await client.get("/stocks/FishCo", { "if-none-match": before });
    expect(answer.status).toBe(200);
    expect(answer.headers.etag).not.toBe(before);
  });

  test("a stock that is not found has none", async () => {
    const answer = await client.get("/stocks/Nope", { "if-none-match": "*" });
    expect(answer.status).toBe(404);
    expect(answer.headers).not.toHaveProperty("etag");
  });
});

describe("GET /stocks", () => {
  test("lists all stocks with their volume, sorted by name", async () => {
    const listing = await createTestClient();
    await listing.post("/orders", { name: "GameStart", quantity: 3, type: "buy" });
    await listing.post("/orders", { name: "GameStart", quantity: 1, type: "sell" });
    for (const path of ["/stocks", "/stocks?x=1"]) {
      const answer = await listing.get(path);
      expect(answer.status).toBe(200);
      const { data } = answer.body as { data: { name: string }[] };
      expect(data).toContainEqual({ name: "GameStart", price: 15.99, quantity: 98, volume: 4 });
      const names = data.map(({ name }) => name);
      expect(names).toEqual(names.toSorted());
      expect(new Set(names).size).toBe(names.length);
    }
    await listing.close();
  });
});
