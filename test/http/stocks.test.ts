import { BazaarError } from "@stock-bazaar/shared/errors";
import { silentLogger } from "@stock-bazaar/process/log";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createTestClient, expectFailure, strangeNames, type TestClient } from "./support/client.ts";

let client: TestClient;
beforeAll(async () => {
  client = await createTestClient();
});
afterAll(() => client.close());

describe("GET /stocks/{name}", () => {
  test("returns name, price and quantity", async () => {
    const answer = await client.get("/stocks/GameStart");
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('{"data":{"name":"GameStart","price":15.99,"quantity":100}}');
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.headers.etag).toMatch(/^"[\da-f-]{36}-0"$/);
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

  test("the bazaar is asked for the longest name that a stock can have", async () => {
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

  test("HEAD has the headers of GET, without the body", async () => {
    const answer = await client.send("HEAD", "/stocks/GameStart");
    expect(answer.status).toBe(200);
    expect(answer.headers["content-length"]).toBe("58");
    expect(answer.headers.etag).toMatch(/^"[\da-f-]{36}-0"$/);
    expect(answer.headers["x-cache"]).toMatch(/^(hit|miss|bypass)$/);
  });

  test("prices have at most two decimals", async () => {
    for (const [priceCents, text] of [
      [1599, "15.99"],
      [1, "0.01"],
      [1000, "10"],
      [110, "1.1"],
      [2_147_483_647_29, "2147483647.29"],
    ] as const) {
      const stock = { name: "X", priceCents, quantity: 1, volume: 0, rev: 7, life: "life" };
      const priced = await createTestClient({ changes: { lookup: async () => ({ stock, cache: "miss" }) } });
      expect((await priced.get("/stocks/X")).text).toBe(`{"data":{"name":"X","price":${text},"quantity":1}}`);
      await priced.close();
    }
  });
});

describe("the ETag of a lookup", () => {
  test.each(['"life-7"', 'W/"life-7"', '"life-1", "life-7"', 'W/"life-1",W/"life-7" ', "*", ' "life-7" '])(
    "If-None-Match: %s is answered with 304",
    async (tag) => {
      const stock = { name: "X", priceCents: 100, quantity: 1, volume: 0, rev: 7, life: "life" };
      const tagged = await createTestClient({ changes: { lookup: async () => ({ stock, cache: "hit" }) } });
      const answer = await tagged.get("/stocks/X", { "if-none-match": tag, "x-request-id": "mine" });
      expect(answer.status).toBe(304);
      expect(answer.headers).toEqual({
        "content-type": "application/json",
        "content-length": String('{"data":{"name":"X","price":1,"quantity":1}}'.length),
        etag: '"life-7"',
        "x-cache": "hit",
        "x-request-id": "mine",
      });
      await tagged.close();
    },
  );

  test.each([
    '"life-8"',
    "life-7",
    '"life-77"',
    'w/"life-7"',
    '"life-7',
    "",
    // The tag of another catalog behind the same address.
    '"another-life-7"',
    '"7"',
  ])("If-None-Match: %s is answered with the stock", async (tag) => {
    const stock = { name: "X", priceCents: 100, quantity: 1, volume: 0, rev: 7, life: "life" };
    const tagged = await createTestClient({ changes: { lookup: async () => ({ stock, cache: "hit" }) } });
    expect((await tagged.get("/stocks/X", { "if-none-match": tag })).status).toBe(200);
    await tagged.close();
  });

  test("a trade changes the ETag", async () => {
    const before = (await client.get("/stocks/FishCo")).headers.etag ?? "";
    expect((await client.get("/stocks/FishCo", { "if-none-match": before })).status).toBe(304);
    await client.post("/orders", { name: "FishCo", quantity: 1, type: "buy" });
    const answer = await client.get("/stocks/FishCo", { "if-none-match": before });
    expect(answer.status).toBe(200);
    expect(answer.headers.etag).not.toBe(before);
  });

  test("a stock that is not found has no ETag", async () => {
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

describe("a page of GET /stocks", () => {
  const listed = (names: readonly string[], next?: string) => ({
    data: names.map((name) => expect.objectContaining({ name })),
    ...(next === undefined ? {} : { next }),
  });

  test.each([
    ["?limit=2", listed(["BoarCo", "FishCo"], "FishCo")],
    ["?limit=2&after=FishCo", listed(["GameStart"])],
    ["?after=BoarCo", listed(["FishCo", "GameStart"])],
    ["?limit=3", listed(["BoarCo", "FishCo", "GameStart"])],
    ["?limit=1000000", listed(["BoarCo", "FishCo", "GameStart"])],
    ["?after=F", listed(["FishCo", "GameStart"])],
    ["?after=GameStart", listed([])],
    ["/?limit=1", undefined],
  ])("%s", async (query, body) => {
    const answer = await client.get(`/stocks${query}`);
    if (body === undefined) expectFailure(answer, 400, "Invalid GET request/URL", "INVALID_REQUEST");
    else expect([answer.status, answer.body]).toEqual([200, body]);
  });

  test.each([
    "limit=0",
    "limit=-1",
    "limit=1.5",
    "limit=x",
    "limit=",
    "limit=99999999999999999",
    "after=",
    `after=${"x".repeat(256)}`,
  ])("?%s is an invalid request", async (query) => {
    expectFailure(await client.get(`/stocks?${query}`), 400, "Invalid GET request/URL", "INVALID_REQUEST");
  });
});

describe("a list of more stocks than one message can hold", () => {
  const count = 2500;
  const names = Array.from({ length: count }, (_, index) => `Stock ${String(index).padStart(6, "0")} "漢"`);
  let many: TestClient;
  beforeAll(async () => {
    many = await createTestClient({ stocks: names.map((name) => ({ name, priceCents: 1599, quantity: 7 })) });
  });
  afterAll(() => many.close());

  const read = async (path: string) => {
    const response = await many.fetch(path);
    expect(response.status).toBe(200);
    return {
      length: response.headers.get("content-length"),
      body: (await response.json()) as { data: { name: string }[]; next?: string },
    };
  };

  test("is streamed, whole and in order", async () => {
    const { length, body } = await read("/stocks");
    expect(length).toBeNull();
    expect(body.data.map(({ name }) => name)).toEqual(names);
    expect(body.data[0]).toEqual({ name: names[0], price: 15.99, quantity: 7, volume: 0 });
    expect(body).not.toHaveProperty("next");
  });

  test("can be requested in pages of any size", async () => {
    for (const limit of [700, 1000, 1700]) {
      const found: string[] = [];
      let after = "";
      for (let more = true; more; ) {
        const { body } = await read(`/stocks?limit=${limit}${after}`);
        expect(body.data.length).toBeLessThanOrEqual(limit);
        found.push(...body.data.map(({ name }) => name));
        more = body.next !== undefined;
        after = `&after=${encodeURIComponent(body.next ?? "")}`;
      }
      expect(found).toEqual(names);
    }
  });

  test("is read only as far as the client takes it", async () => {
    let pages = 0;
    const counting = many.beside({
      changes: {
        stocks: (request) => {
          pages += 1;
          return many.bazaar.stocks(request);
        },
      },
    });
    const response = await counting.fetch("/stocks");
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.read();
    expect(pages).toBe(1);
    await reader?.cancel();
    expect(pages).toBe(1);
  });

  test("ends before the JSON is complete if the catalog stops answering", async () => {
    let pages = 0;
    const warn = vi.fn();
    const failing = many.beside({
      logger: { ...silentLogger, isLevelEnabled: () => false, warn },
      changes: {
        stocks: (request) => {
          pages += 1;
          if (pages === 3) return Promise.reject(new BazaarError("UNAVAILABLE", "no answer in time"));
          return many.bazaar.stocks(request);
        },
      },
    });
    const response = await failing.fetch("/stocks");
    await expect(response.text()).rejects.toThrow("no answer in time");
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ route: "/stocks", err: expect.any(BazaarError) }),
      "reply ended early",
    );
  });

  test("HEAD has no body", async () => {
    const response = await many.fetch("/stocks", { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });
});
