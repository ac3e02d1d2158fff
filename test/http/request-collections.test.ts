/** The request collections are those of the routes that exist, and each request in them works, once there is an order. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type OpenApi, operationsOf } from "@stock-bazaar/front-end/http/document-types";
import { httpFile, postmanCollection } from "@stock-bazaar/front-end/http/request-collections";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createTestClient, type TestClient } from "./support/client.ts";
import { readDocument } from "./support/document.ts";

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

const read = (name: string) => readFileSync(resolve(import.meta.dirname, "../../docs/requests", name), "utf8");
const httpText = read("stock-bazaar.http");
const postmanText = read("stock-bazaar.postman_collection.json");

let client: TestClient;
let document: OpenApi;
beforeAll(async () => {
  client = await createTestClient();
  ({ document } = await readDocument(client));
});
afterAll(() => client.close());

test("they are what `npm run generate` makes now", () => {
  expect(httpText).toBe(httpFile(document));
  expect(JSON.parse(postmanText)).toEqual(postmanCollection(document));
});

describe.each([
  ["stock-bazaar.http", () => fromHttpFile(httpText)],
  ["stock-bazaar.postman_collection.json", () => fromPostman(postmanText)],
])("%s", (_, requests) => {
  test("names every route once", () => {
    const routes = operationsOf(document).map(
      ({ method, path }) => new RegExp(`^${method.toUpperCase()} ${path.replace(/\{\w+\}/g, "[^/?]+")}(\\?.*)?$`),
    );
    const sent = requests().map(({ method, url }) => `${method} ${url}`);
    expect(sent).toHaveLength(routes.length);
    for (const route of routes) expect(sent.filter((line) => route.test(line)).length, String(route)).toBe(1);
  });

  test("each request works", async () => {
    expect((await client.post("/orders", { name: "GameStart", quantity: 1, type: "buy" })).status).toBe(200);
    for (const { method, url, headers, body } of requests()) {
      const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
      const init = { headers: { ...headers, ...length }, ...(body === undefined ? {} : { body }) };
      // The cache holds a stock that was looked up, once there is a lease.
      const send = async () => {
        if (url.startsWith("/stocksCacheLookup")) await client.get("/stocks/GameStart");
        // A stream of events never ends: its head has to do.
        const answer = await client.send(url.startsWith("/events") ? "HEAD" : method, url, init);
        expect(answer.status, `${method} ${url}: ${answer.text.slice(0, 200)}`).toBe(200);
      };
      await (method === "GET" ? vi.waitFor(send, 5000) : send());
    }
  });
});

/** As editors read it: `###` begins a request, `#` a remark, and an empty line the body. */
function fromHttpFile(text: string): Sent[] {
  const [opening = "", ...parts] = text.split(/^###.*\n/m);
  const variable = /^@(\w+) = (\S+)$/m.exec(opening);
  return parts.map((part) => {
    const [head = "", ...body] = part
      .replace(/^#.*\n/gm, "")
      .trim()
      .split("\n\n");
    const [line = "", ...headerLines] = head.split("\n");
    const [method = "", url = ""] = line.split(" ");
    return {
      method,
      url: withoutHost(url, variable?.[1]),
      headers: Object.fromEntries(headerLines.map((header) => header.split(": "))) as Record<string, string>,
      body: body.length === 0 ? undefined : body.join("\n\n"),
    };
  });
}

interface PostmanItem {
  readonly item?: readonly PostmanItem[];
  readonly request?: {
    readonly method: string;
    readonly header: readonly { key: string; value: string }[];
    readonly url: { readonly raw: string; readonly host: string[]; readonly path: string[] };
    readonly body?: { readonly mode: string; readonly raw: string };
  };
}

function fromPostman(text: string): Sent[] {
  const collection = JSON.parse(text) as PostmanItem & { info: { schema: string }; variable: { key: string }[] };
  expect(collection.info.schema).toContain("/v2.1.0/");
  const requestsOf = ({ item = [], request }: PostmanItem): NonNullable<PostmanItem["request"]>[] =>
    request === undefined ? item.flatMap(requestsOf) : [request];
  return requestsOf(collection).map(({ method, header, url, body }) => {
    // Postman sends the parts and shows the whole.
    expect(url.raw.split("?")[0]).toBe([...url.host, ...url.path].join("/"));
    return {
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
