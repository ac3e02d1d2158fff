/**
 * The requests of the five earlier systems' clients, in their order, each client on one kept connection; and each
 * status and text of the dialects that a client may receive.
 */

import { frontEndVariables } from "@stock-bazaar/process/addresses";
import { createApp } from "@stock-bazaar/front-end/app";
import type { Bazaar } from "@stock-bazaar/front-end/bazaar";
import { dialects } from "@stock-bazaar/front-end/dialects/index";
import { listen, type Listening } from "@stock-bazaar/front-end/listen";
import { type DialectName, dialectNames } from "@stock-bazaar/contract/dialects";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { at } from "@stock-bazaar/shared/json";
import { silentLogger } from "@stock-bazaar/process/log";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createInProcessBazaar, type InProcessBazaar } from "../support/in-process.ts";
import { withChanges } from "./support/client.ts";
import { KeptConnection, type KeptReply } from "./support/kept-connection.ts";

const names = ["GameStart", "FishCo", "BoarCo", "MenhirCo", "PotionWorks", "TinWhistle"];
const plenty = 1_000_000;
const failing = (code: "UNAVAILABLE" | "INTERNAL_ERROR") => () => Promise.reject(new BazaarError(code, "secret"));

let backing: InProcessBazaar;
beforeAll(async () => {
  const stocks = names.map((name, index) => ({ name, priceCents: 1599 + index, quantity: 100 }));
  backing = await createInProcessBazaar({ stocks, cacheSize: 5 });
});
afterAll(() => backing.close());

/** A front-end that speaks the dialect, and a client's connection to it. */
async function connect(dialect: DialectName, changes?: Partial<Bazaar>): Promise<KeptConnection> {
  const bazaar = changes === undefined ? backing.bazaar : withChanges(backing.bazaar, changes);
  const app = createApp({ bazaar, logger: silentLogger, dialect: dialects[dialect] });
  const http: Listening = listen(
    app,
    { host: "127.0.0.1", port: 0, variables: frontEndVariables },
    { logger: silentLogger, requestTimeoutMs: 5000, keepAliveTimeoutMs: 90_000 },
  );
  const client = await KeptConnection.open(http.url);
  onTestFinished(async () => {
    client.close();
    await http.stop();
  });
  return client;
}

function expectFailure(reply: KeptReply, status: number, message: string, code = status): void {
  expect(JSON.parse(reply.text)).toEqual({ error: { code, message, reason: expect.any(String) as unknown } });
  expect(reply.status).toBe(status);
}

function expectData(reply: KeptReply, data: object): void {
  expect(JSON.parse(reply.text)).toEqual({ data });
  expect(reply.status).toBe(200);
}

function numberIn({ text }: KeptReply, field: string): number {
  const { data } = JSON.parse(text) as { data: Record<string, number> };
  expect(data).toEqual({ [field]: expect.any(Number) as unknown });
  return data[field] ?? 0;
}

async function quantityOf(name: string): Promise<number> {
  return (await backing.bazaar.lookup(name)).stock?.quantity ?? 0;
}

describe("bazaar", () => {
  test("its client looks up, buys and sells, and checks its orders", async () => {
    const client = await connect("bazaar");
    const before = await quantityOf("GameStart");
    expectData(await client.get("/stocks/GameStart"), { name: "GameStart", price: 15.99, quantity: before });
    for (const type of ["buy", "sell"]) {
      const number = numberIn(
        await client.post("/orders", { name: "GameStart", quantity: 1, type }),
        "transaction_number",
      );
      expectData(await client.get(`/orders/${number}`), { number, name: "GameStart", type, quantity: 1 });
    }
    expectFailure(await client.get("/stocks/Nope"), 404, "stock not found");
    expectFailure(await client.get("/orders/1000000"), 404, "order number not found");
  });

  test("its cache test: a cache of five evicts the first of six stocks, and a trade evicts its own", async () => {
    const client = await connect("bazaar");
    for (const name of names) expect((await client.get(`/stocks/${name}`)).status).toBe(200);
    expectFailure(await client.get("/stocksCacheLookup/GameStart"), 404, "stock not found");
    for (const name of names.slice(1)) expect((await client.get(`/stocksCacheLookup/${name}`)).status).toBe(200);
    await client.post("/orders", { name: "FishCo", quantity: 1, type: "buy" });
    expectFailure(await client.get("/stocksCacheLookup/FishCo"), 404, "stock not found");
    expect((await client.get("/stocks/FishCo")).status).toBe(200);
    expect((await client.get("/stocksCacheLookup/FishCo")).status).toBe(200);
    expectData(await client.get("/stocksCache/FishCo"), { code: 200, message: "Cache Invalidation done" });
    expectFailure(await client.get("/stocksCacheLookup/FishCo"), 404, "stock not found");
  });

  test("internal errors have its texts", async () => {
    const explode = () => {
      throw new Error("secret");
    };
    const client = await connect("bazaar", {
      lookup: failing("INTERNAL_ERROR"),
      order: failing("INTERNAL_ERROR"),
      dropCached: explode,
    });
    expectFailure(await client.get("/stocks/GameStart"), 500, "Lookup Failed due to internal error");
    expectFailure(await client.get("/orders/1"), 500, "Lookup Failed due to internal error");
    expectFailure(await client.get("/stocksCache/GameStart"), 500, "Cache Invalidation Failed due to internal error");
  });
});

describe("pyro", () => {
  test("its client looks up and trades, and reads its failures", async () => {
    const client = await connect("pyro");
    const before = await quantityOf("GameStart");
    expectData(await client.get("/stock/GameStart"), { name: "GameStart", price: 15.99, quantity: before });
    const trade = { name: "GameStart", quantity: 1, type: "buy" };
    const first = numberIn(await client.post("/order/", trade), "transaction_number");
    expect(numberIn(await client.post("/order", { ...trade, type: "sell" }), "transaction_number")).toBe(first + 1);
    expectFailure(await client.get("/stock/Nope"), 400, "Bad request. Nope stock not found in db");
    expectFailure(
      await client.post("/order/", { ...trade, name: "Nope" }),
      400,
      "Bad request. Nope stock not found in db",
    );
    const tooMuch = { ...trade, quantity: plenty };
    expectFailure(await client.post("/order/", tooMuch), 500, "Insufficient volume for GameStart stock");
    expectFailure(await client.get("/nope"), 404, "Invalid GET request/URL");
  });
});

describe("streaming", () => {
  test("its client reads only bodies of status 200, and keeps its connection through every failure", async () => {
    const client = await connect("streaming");
    const before = await quantityOf("GameStart");
    expectData(await client.get("/stocks?stockname=GameStart"), { name: "GameStart", price: 15.99, quantity: before });
    expectFailure(await client.get("/stocks?stockname=Nope"), 200, "stock not found", 404);
    expectFailure(await client.get("/stocks?stockname="), 200, "stock not found", 404);
    expectFailure(await client.get("/stocks"), 200, "stock not found", 404);

    const trade = { name: "GameStart", quantity: 1, type: "BUY" };
    const number = numberIn(await client.post("/orders", trade), "transaction_number");
    expectData(await client.get(`/orders?order-number=${number}`), {
      number,
      name: "GameStart",
      type: "BUY",
      quantity: 1,
    });
    const insufficient = "Trading not permitted due to insufficient volume";
    expectFailure(await client.post("/orders", { ...trade, quantity: plenty }), 200, insufficient, 400);
    for (const wrong of [{ name: "Nope" }, { type: "HOLD" }, { quantity: 0 }, { quantity: -1 }]) {
      expectFailure(await client.post("/orders", { ...trade, ...wrong }), 200, "Stock not found", 404);
    }
    const unreadable = { method: "POST", path: "/orders", headers: { "content-type": "application/json" } };
    for (const body of ["", "{", "[]"]) {
      const headers = { ...unreadable.headers, "content-length": String(body.length) };
      expectFailure(await client.send({ ...unreadable, headers, body }), 200, "Internal Server Error", 500);
    }
    for (const none of ["-1", "0", "1000000"]) {
      expectFailure(await client.get(`/orders?order-number=${none}`), 200, "order not found", 404);
    }
    expectFailure(await client.get("/orders?order-number=x"), 200, "Internal Server Error", 500);
  });

  test("every other path that exists replies with 200 too, and a path that doesn't exist with 404", async () => {
    const client = await connect("streaming");
    const { text } = await client.get("/orders?limit=1");
    expect(JSON.parse(text)).toMatchObject({ data: [{ type: expect.stringMatching(/^(BUY|SELL)$/) as unknown }] });
    expect((await client.get("/stocks/GameStart")).status).toBe(200);
    expectFailure(await client.get("/stocks/Nope"), 200, "stock not found", 404);
    expectFailure(await client.get("/stocks/"), 200, "Invalid GET request/URL", 400);
    expectFailure(await client.send({ method: "DELETE", path: "/orders" }), 200, "Invalid DELETE request/URL", 405);
    const large = { name: "x".repeat(70_000), quantity: 1, type: "BUY" };
    expectFailure(await client.post("/orders", large), 200, "Request body is larger than 64 KiB", 413);
    expectFailure(await client.get("/nope"), 404, "Invalid GET request/URL");
    const headers = { "if-none-match": "*" };
    expect((await client.send({ method: "GET", path: "/stocks/GameStart", headers })).status).toBe(200);
  });

  test("timeouts and internal errors have the status 200 too", async () => {
    const client = await connect("streaming", {
      trade: failing("UNAVAILABLE"),
      lookup: failing("UNAVAILABLE"),
      order: failing("INTERNAL_ERROR"),
    });
    const trade = { name: "GameStart", quantity: 1, type: "BUY" };
    expectFailure(await client.post("/orders", trade), 200, "Internal Server Error", 500);
    const late = "Stock could not be looked up: no answer in time; try again";
    expectFailure(await client.get("/stocks?stockname=GameStart"), 200, late, 503);
    expectFailure(await client.get("/orders?order-number=1"), 200, "Lookup Failed due to internal error", 500);
  });
});

describe("toy-store", () => {
  const jsonRequired = '"Content-Type: application/json" header required';

  test("its client looks products up, buys, and checks its orders by POST", async () => {
    const client = await connect("toy-store");
    const before = await quantityOf("FishCo");
    expectData(await client.get("/products/FishCo"), { name: "FishCo", price: 16, quantity: before });
    const number = numberIn(await client.post("/orders", { name: "FishCo", quantity: 2 }), "order_number");
    const order = { number: String(number), name: "FishCo", quantity: 2 };
    expectData(await client.send({ method: "POST", path: `/orders/${number}` }), order);
    expectData(await client.get(`/orders/${number}`), order);
    expectData(await client.post("/orders", { name: "FishCo", quantity: plenty }), { order_number: -1 });
    expectData(await client.get("/products/FishCo"), { name: "FishCo", price: 16, quantity: before - 2 });
    expectFailure(await client.get("/products/Nope"), 404, "product not found");
    expectFailure(await client.post("/orders", { name: "Nope", quantity: 1 }), 404, "product not found");
    for (const path of ["/orders/1000000", "/orders/0", "/orders/x"]) {
      expectFailure(await client.send({ method: "POST", path }), 404, "product not found");
    }
  });

  test("refuses a request that isn't a purchase, with its own texts", async () => {
    const client = await connect("toy-store");
    const keys = "invalid json file (required keys: name, quantity)";
    for (const value of [{ name: "FishCo" }, { quantity: 1 }, [], { name: "FishCo", quantity: 1, type: "sell" }]) {
      expectFailure(await client.post("/orders", value), 400, keys);
    }
    for (const quantity of [0, -1, 1.5]) {
      expectFailure(await client.post("/orders", { name: "FishCo", quantity }), 400, "invalid quantity.");
    }
    const body = JSON.stringify({ name: "FishCo", quantity: 1 });
    const request = { method: "POST", path: "/orders", body };
    const length = { "content-length": String(body.length) };
    expectFailure(await client.send({ ...request, headers: length }), 400, `(Missing header) ${jsonRequired}`);
    const asText = { ...length, "content-type": "text/plain" };
    expectFailure(await client.send({ ...request, headers: asText }), 415, `(Wrong Content-Type) ${jsonRequired}`);
    const json = { "content-type": "application/json" };
    const broken = { ...request, body: "{", headers: { ...json, "content-length": "1" } };
    expectFailure(await client.send(broken), 400, "invalid json file");
    const lengthless = { method: "POST", path: "/orders", headers: json };
    expectFailure(await client.send(lengthless), 411, "Content-Length header required");
  });

  test("has no other routes", async () => {
    const client = await connect("toy-store");
    for (const path of ["/nope", "/stocks/GameStart", "/stocks", "/products", "/products/", "/hello"]) {
      expectFailure(await client.get(path), 501, "service not implemented");
    }
    expectFailure(await client.send({ method: "DELETE", path: "/orders" }), 501, "service not implemented");
    expectFailure(await client.get("/orders"), 501, "service not implemented");
  });

  test("a timeout has the text of an internal error", async () => {
    const client = await connect("toy-store", {
      trade: failing("UNAVAILABLE"),
      lookup: failing("UNAVAILABLE"),
      order: failing("INTERNAL_ERROR"),
    });
    expectFailure(await client.post("/orders", { name: "FishCo", quantity: 1 }), 500, "internal server error");
    expectFailure(await client.get("/products/FishCo"), 500, "internal server error");
    expectFailure(await client.get("/orders/1"), 500, "internal server error");
  });
});

describe("pyro-redis", () => {
  test("its client looks up, trades, and checks its orders", async () => {
    const client = await connect("pyro-redis");
    const before = await quantityOf("BoarCo");
    expectData(await client.get("/stocks/BoarCo"), { name: "BoarCo", price: 16.01, quantity: before });
    const trade = { name: "BoarCo", quantity: 1, type: "sell" };
    const number = numberIn(await client.post("/orders", trade), "transaction_number");
    expectData(await client.get(`/orders/${number}`), { number, ...trade });
    const { leader } = await backing.bazaar.cluster();
    expectData(await client.get("/get_order_leader"), { order_leader: leader });
    expect(JSON.parse((await client.get("/cache_invalid/BoarCo")).text)).toEqual({
      data: "cache invalidation successful",
    });
    const nowhere = "Bad request. Nope stock not found in db";
    expectFailure(await client.get("/stocks/Nope"), 400, nowhere);
    expectFailure(await client.post("/orders", { ...trade, name: "Nope" }), 400, nowhere);
    const tooMuch = { ...trade, type: "buy", quantity: plenty };
    expectFailure(await client.post("/orders", tooMuch), 500, "Insufficient volume for BoarCo stock");
    for (const none of ["1000000", "0", "-1"]) {
      expectFailure(await client.get(`/orders/${none}`), 400, `Bad request. ${none} order not found in ORDER LOG`);
    }
  });

  test("an invalidation that fails has its text", async () => {
    const client = await connect("pyro-redis", {
      dropCached() {
        throw new Error("secret");
      },
    });
    const failed = "Cache Invalidation unsuccessful. Check error log";
    expectFailure(await client.get("/cache_invalid/BoarCo"), 500, failed);
  });
});

describe.each(dialectNames)("the operations' routes in %s", (dialect) => {
  test("are the same as in every dialect, statuses included", async () => {
    const client = await connect(dialect);
    for (const path of ["/healthz", "/readyz", "/cluster", "/metrics", "/openapi.json", "/docs", "/"]) {
      expect((await client.get(path)).status, path).toBe(200);
    }
    const answer = await client.send({ method: "POST", path: "/healthz", headers: { "content-length": "0" } });
    expectFailure(answer, 405, "Invalid POST request/URL");
    const away = await connect(dialect, { cluster: failing("UNAVAILABLE") });
    expect((await away.get("/readyz")).status).toBe(503);
  });

  test("the document names the dialect, and the replies to unknown paths and methods", async () => {
    const client = await connect(dialect);
    const document: unknown = JSON.parse((await client.get("/openapi.json")).text);
    const description = String(at(document, "info", "description"));
    expect(at(document, "info", "title")).toBe(dialect === "bazaar" ? "Stock Bazaar" : `Stock Bazaar (${dialect})`);
    expect(description).toContain(`An unknown path is answered with ${(await client.get("/nope")).status}`);
    const { status } = await client.send({ method: "DELETE", path: "/orders" });
    expect(description).toContain(`a known path with another method with ${status}`);
    if (dialect !== "bazaar") expect(description).toContain(`the dialect \`${dialect}\``);
  });

  test("the document lists its own routes, and no failure that its clients can't receive", async () => {
    const client = await connect(dialect);
    const document = JSON.parse((await client.get("/openapi.json")).text) as {
      paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
    };
    const own = Object.keys(document.paths).filter((path) => /^\/(stock|order|product|buy)/.test(path));
    const statuses = own.flatMap((path) =>
      Object.values(document.paths[path] ?? {}).flatMap(({ responses }) => Object.keys(responses)),
    );
    if (dialect === "toy-store") expect(own).toEqual(["/products/{name}", "/orders", "/orders/{number}"]);
    else expect(own).toContain("/stocks/{name}");
    if (dialect === "streaming") expect(new Set(statuses)).toEqual(new Set(["200"]));
  });
});
