/**
 * The request collections match the routes, and each request in them succeeds or fails as its title says, once there is
 * an order.
 */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { dialects } from "@stock-bazaar/front-end/dialects/index";
import { type OpenApi, operationsOf } from "@stock-bazaar/front-end/http/document-types";
import { httpFile, postmanCollection } from "@stock-bazaar/front-end/http/request-collections";
import { at } from "@stock-bazaar/shared/json";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, createTestClient, type TestClient } from "./support/client.ts";

interface Sent {
  readonly title: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

const read = (name: string) => readFileSync(resolve(import.meta.dirname, "../../docs/requests", name), "utf8");

describe.each(Object.values(dialects))("$name", (dialect) => {
  const httpText = read(`${dialect.name}.http`);
  const postmanText = read(`${dialect.name}.postman_collection.json`);

  let client: TestClient;
  let document: OpenApi;
  beforeAll(async () => {
    client = await createTestClient({ dialect });
    document = (await client.get("/openapi.json")).body as OpenApi;
  });
  afterAll(() => client.close());

  test("they are what `npm run generate` would write now", () => {
    expect(httpText).toBe(httpFile(document));
    expect(JSON.parse(postmanText)).toEqual(postmanCollection(document));
  });

  describe.each([
    [".http", () => fromHttpFile(httpText)],
    [".postman_collection.json", () => fromPostman(postmanText)],
  ])("%s", (_, requests) => {
    test("has a trade without a field, and one with the wrong Content-Type", () => {
      const titles = requests().map(({ title }) => title);
      for (const why of ["a field is missing", "wrong Content-Type"])
        expect(titles).toContainEqual(expect.stringMatching(new RegExp(`Buy.*: fails, ${why}$`)));
    });

    test("has every route once, besides failures and queries for one item", () => {
      const routes = operationsOf(document).map(
        ({ method, path }) => new RegExp(`^${method.toUpperCase()} ${path.replace(/\{\w+\}/g, "[^/?]+")}(\\?.*)?$`),
      );
      const usual = requests().filter(({ title }) => !/: (fails|by)/.test(title));
      const sent = usual.map(({ method, url }) => `${method} ${url}`);
      expect(sent).toHaveLength(routes.length);
      for (const route of routes) expect(sent.filter((line) => route.test(line)).length, String(route)).toBe(1);
    });

    test("each request succeeds, or fails if its title says so", async () => {
      const type = dialect.name === "toy-store" ? {} : { type: dialect.name === "streaming" ? "BUY" : "buy" };
      expect((await client.post("/orders", { name: "GameStart", quantity: 1, ...type })).status).toBe(200);
      for (const { title, method, url, headers, body } of requests()) {
        const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
        const init = { headers: { ...headers, ...length }, ...(body === undefined ? {} : { body }) };
        // A lookup puts the stock into the cache.
        if (url.startsWith("/stocksCacheLookup")) await client.get("/stocks/GameStart");
        // A stream of events never ends, so only its head is requested.
        const answer = await client.send(url.startsWith("/events") ? "HEAD" : method, url, init);
        const shown = `${title}, ${method} ${url}: ${answer.status} ${answer.text.slice(0, 200)}`;
        expect(isRefusal(answer), shown).toBe(title.includes(": fails"));
      }
    });
  });
});

/** Some dialects show a failure only in the body; toy-store shows too little stock by the number -1. */
function isRefusal({ status, body }: Answer): boolean {
  return status !== 200 || at(body, "error") !== undefined || at(body, "data", "order_number") === -1;
}

/** Parses the file as editors do: `###` begins a request, `#` a comment, and an empty line the body. */
function fromHttpFile(text: string): Sent[] {
  const [opening = "", ...parts] = text.split(/^### /m);
  const variable = /^@(\w+) = (\S+)$/m.exec(opening);
  return parts.map((part) => {
    const [title = ""] = part.split("\n", 1);
    const [head = "", ...body] = part
      .slice(title.length)
      .replace(/^#.*\n/gm, "")
      .trim()
      .split("\n\n");
    const [line = "", ...headerLines] = head.split("\n");
    const [method = "", url = ""] = line.split(" ");
    return {
      title,
      method,
      url: withoutHost(url, variable?.[1]),
      headers: Object.fromEntries(headerLines.map((header) => header.split(": "))) as Record<string, string>,
      body: body.length === 0 ? undefined : body.join("\n\n"),
    };
  });
}

interface PostmanItem {
  readonly name?: string;
  readonly item?: readonly PostmanItem[];
  readonly request?: {
    readonly method: string;
    readonly header: readonly { key: string; value: string }[];
    readonly url: { readonly raw: string; readonly host: string[]; readonly path: string[] };
    readonly body?: { readonly mode: string; readonly raw: string };
  };
}

type PostmanRequest = NonNullable<PostmanItem["request"]> & { readonly title: string };

function fromPostman(text: string): Sent[] {
  const collection = JSON.parse(text) as PostmanItem & { info: { schema: string }; variable: { key: string }[] };
  expect(collection.info.schema).toContain("/v2.1.0/");
  const requestsOf = ({ item = [], name: title = "", request }: PostmanItem): PostmanRequest[] =>
    request === undefined ? item.flatMap(requestsOf) : [{ title, ...request }];
  return requestsOf(collection).map(({ title, method, header, url, body }) => {
    // Postman sends the parts and shows `raw`.
    expect(url.raw.split("?")[0]).toBe([...url.host, ...url.path].join("/"));
    return {
      title,
      method,
      url: withoutHost(url.raw, collection.variable[0]?.key),
      headers: Object.fromEntries(header.map(({ key, value }) => [key, value])),
      body: body?.raw,
    };
  });
}

function withoutHost(url: string, variable: string | undefined): string {
  const host = `{{${variable}}}`;
  expect(url.startsWith(`${host}/`), url).toBe(true);
  return url.slice(host.length);
}
