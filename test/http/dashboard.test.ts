/** The dashboard's page, and who may use its buttons. */

import { createHash } from "node:crypto";
import type { FaultKind } from "@stock-bazaar/contract/faults";
import type { FaultTarget } from "@stock-bazaar/process/faults";
import type { CatalogState } from "@stock-bazaar/shared/api";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestClient, expectFailure, type TestClient } from "./support/client.ts";

let client: TestClient;
beforeAll(async () => {
  client = await createTestClient();
});
afterAll(() => client.close());

function contentOf(html: string, element: string): string {
  return new RegExp(`<${element}[^>]*>([^]*?)</${element}>`).exec(html)?.[1] ?? "";
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

describe("the page", () => {
  test("contains all that it needs, and may load nothing else", async () => {
    const { status, headers, text } = await client.get("/");
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    const policy = headers["content-security-policy"] ?? "";
    expect(policy.split("; ")).toEqual([
      "default-src 'none'",
      `script-src ${hashOf(contentOf(text, "script"))}`,
      `style-src ${hashOf(contentOf(text, "style"))}`,
      "connect-src 'self'",
      "img-src data:",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
    expect(text.match(/<script|<style/g)).toHaveLength(2);
    expect(text).not.toMatch(/ src=|@import|url\(["']?http/);
    expect(text.match(/<link [^>]*href="(?!data:)/)).toBeNull();
  });

  test("is the same every time, and small", async () => {
    const [first, second] = [await client.get("/"), await client.get("/?x=1")];
    expect(second.text).toBe(first.text);
    expect(Buffer.byteLength(first.text)).toBeLessThan(200_000);
  });
});

describe("faults", () => {
  const own = { host: "localhost:8080" };
  const foreignPage = "Faults must be requested by this front-end's own page";

  function withSupervisor(answer: () => Promise<boolean> = async () => true) {
    const asked: [FaultKind, FaultTarget][] = [];
    const faults = {
      host: "bazaar.test",
      inject(fault: FaultKind, target: FaultTarget) {
        asked.push([fault, target]);
        return answer();
      },
    };
    return { asked, client: client.beside({ faults }) };
  }

  test.each([
    ["kill", 3],
    ["freeze", 3],
  ] as const)("%s reaches the replica that leads", async (fault, replica) => {
    const { asked, client } = withSupervisor();
    const answer = await client.post(`/faults/${fault}-leader`, {}, own);
    expect(answer).toMatchObject({ status: 200, body: { data: { fault, replica } } });
    expect(asked).toEqual([[fault, { kind: "replica", number: replica }]]);
  });

  test.each(["kill", "freeze"] as const)("%s reaches the catalog that is active", async (fault) => {
    const { bazaar } = client;
    const states = (...all: readonly CatalogState["state"][]) =>
      all.map((state, index) => ({ address: `127.0.0.1:${index}`, state }));
    const path = `/faults/${fault}-catalog`;
    for (const [catalogs, number] of [
      [undefined, 1],
      [states("active", "standby"), 1],
      [states("away", "active"), 2],
    ] as const) {
      const asked: unknown[] = [];
      const faults = { host: "", inject: async (...request: unknown[]) => (asked.push(request), true) };
      const changed = client.beside({
        faults,
        changes: { cluster: async () => ({ ...(await bazaar.cluster()), catalogs }) },
      });
      const answer = await changed.post(path, {}, own);
      expect(answer).toMatchObject({ status: 200, body: { data: { fault, catalog: number } } });
      expect(asked).toEqual([[fault, { kind: "catalog", number }]]);
    }
    const without = client.beside({
      faults: { host: "", inject: async () => true },
      changes: { cluster: async () => ({ ...(await bazaar.cluster()), catalogs: states("away", "standby") }) },
    });
    expectFailure(await without.post(path, {}, own), 503, "No catalog is active now; try again", "UNAVAILABLE");
  });

  test("without a supervisor there are no such routes, and `hello` has `faults: false`", async () => {
    for (const path of ["/faults/kill-leader", "/faults/freeze-leader"]) {
      expectFailure(await client.post(path, {}, own), 404, "Invalid POST request/URL", "INVALID_REQUEST");
    }
    expect((await client.get("/openapi.json")).text).not.toContain("/faults");
    for (const [asked, faults] of [
      [client, false],
      [withSupervisor().client, true],
    ] as const) {
      const events = await asked.events();
      expect((await events.nextOf("hello")).data).toEqual({ faults });
      await events.close();
    }
  });

  test.each<[string, Record<string, string>]>([
    ["a page of another site", { ...own, origin: "http://evil.example" }],
    ["a page on another port", { ...own, origin: "http://localhost:3000" }],
    ["a page over TLS", { ...own, origin: "https://localhost:8080" }],
    ["a page without an origin of its own", { ...own, origin: "null" }],
    ["a request that the browser marks as cross-site", { ...own, "sec-fetch-site": "cross-site" }],
    [
      "a request that the browser marks as same-site",
      { ...own, "sec-fetch-site": "same-site", origin: "http://localhost:8080" },
    ],
    ["a page whose name resolves to this machine", { host: "evil.example:8080", origin: "http://evil.example:8080" }],
    ["a name that only looks like an address", { host: "127.0.0.1.evil.example:8080" }],
    ["a name that only looks like ours", { host: "bazaar.test.evil.example:8080" }],
    ["no name at all", { host: "" }],
  ])("%s is refused, and nothing happens", async (_, headers) => {
    const { asked, client } = withSupervisor();
    expectFailure(await client.post("/faults/kill-leader", {}, headers), 403, foreignPage, "INVALID_REQUEST");
    expect(asked).toEqual([]);
  });

  test.each<[string, Record<string, string>]>([
    ["its own page", { ...own, origin: "http://localhost:8080", "sec-fetch-site": "same-origin" }],
    ["its own page by address", { host: "127.0.0.1:8080", origin: "http://127.0.0.1:8080" }],
    ["its own page by IPv6", { host: "[::1]:8080", origin: "http://[::1]:8080" }],
    ["its own page by the configured name", { host: "bazaar.test:8080", origin: "http://bazaar.test:8080" }],
    ["a program", { host: "127.0.0.1:8080" }],
  ])("%s is allowed", async (_, headers) => {
    const { client } = withSupervisor();
    expect((await client.post("/faults/kill-leader", {}, headers)).status).toBe(200);
  });

  test("a replica that doesn't run, no leader, and a supervisor that doesn't answer get a 503", async () => {
    const message = "No order replica leads now; try again";
    const gone = withSupervisor(async () => false).client;
    expectFailure(await gone.post("/faults/kill-leader", {}, own), 503, message, "UNAVAILABLE");
    const { bazaar } = client;
    const leaderless = client.beside({
      faults: { host: "", inject: async () => true },
      changes: { cluster: async () => ({ ...(await bazaar.cluster()), leader: 0 }) },
    });
    expectFailure(await leaderless.post("/faults/kill-leader", {}, own), 503, message, "UNAVAILABLE");
    const silent = withSupervisor(() => Promise.reject(new BazaarError("UNAVAILABLE", "secret"))).client;
    const answer = await silent.post("/faults/kill-leader", {}, own);
    expectFailure(answer, 503, "The leader could not be reached: no answer in time; try again", "UNAVAILABLE");
  });
});
