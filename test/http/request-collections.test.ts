/**
 * The request collections are those of the routes that exist, and each request in them works or fails as it
 * says, once there is an order.
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

  test("they are what `npm run generate` makes now", () => {
    expect(httpText).toBe(httpFile(document));
    expect(JSON.parse(postmanText)).toEqual(postmanCollection(document));
  });

  describe.each([
    [".http", () => fromHttpFile(httpText)],
    [".postman_collection.json", () => fromPostman(postmanText)],
  ])("%s", (_, requests) => {
    test("has a trade that lacks a field, and one of another Content-Type", () => {
      const titles = requests().map(({ title }) => title);
      for (const why of ["a field is missing", "another Content-Type"])
        expect(titles).toContainEqual(expect.stringMatching(new RegExp(`Buy.*: fails, ${why}$`)));
    });

    test("names every route once, beside what fails or asks in another way", () => {
      const routes = operationsOf(document).map(
        ({ method, path }) => new RegExp(`^${method.toUpperCase()} ${path.replace(/\{\w+\}/g, "[^/?]+")}(\\?.*)?$`),
      );
      const usual = requests().filter(({ title }) => !/: (fails|by)/.test(title));
      const sent = usual.map(({ method, url }) => `${method} ${url}`);
      expect(sent).toHaveLength(routes.length);
      for (const route of routes) expect(sent.filter((line) => route.test(line)).length, String(route)).toBe(1);
    });

    test("each request works, and fails where it says so", async () => {
      const type = dialect.name === "toy-store" ? {} : { type: dialect.name === "streaming" ? "BUY" : "buy" };
      expect((await client.post("/orders", { name: "GameStart", quantity: 1, ...type })).status).toBe(200);
      for (const { title, method, url, headers, body } of requests()) {
        const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
        const init = { headers: { ...headers, ...length }, ...(body === undefined ? {} : { body }) };
        // A lookup puts the stock into the cache.
        if (url.startsWith("/stocksCacheLookup")) await client.get("/stocks/GameStart");
        // A stream of events never ends: its head has to do.
        const answer = await client.send(url.startsWith("/events") ? "HEAD" : method, url, init);
        const said = `${title}, ${method} ${url}: ${answer.status} ${answer.text.slice(0, 200)}`;
        expect(isRefusal(answer), said).toBe(title.includes(": fails"));
      }
    });
  });
});

/** Some clients are told of a failure in the body alone, and toy-store's of too little stock by the number -1. */
function isRefusal({ status, body }: Answer): boolean {
  return status !== 200 || at(body, "error") !== undefined || at(body, "data", "order_number") === -1;
}

/** As editors read it: `###` begins a request, `#` a remark, and an empty line the body. */
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
    // Postman sends the parts and shows the whole.
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
