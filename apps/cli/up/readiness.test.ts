import type { Cluster } from "@stock-bazaar/contract/replies";
import { afterEach, expect, test } from "vitest";
import { askLeader, waitUntilReady } from "./readiness.ts";

const cluster: Cluster = {
  leader: null,
  term: 0,
  catalog: { state: "live", last_id: 0, stocks: 10 },
  front_ends: [],
  replicas: [],
  cache: { capacity: 0, size: 0, hits: 0, misses: 0, leased: false },
};
const never = new AbortController().signal;
let server: ReturnType<typeof Bun.serve> | undefined;

afterEach(async () => {
  await server?.stop(true);
  server = undefined;
});

function serve(answer: (path: string) => Response): string {
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: ({ url }) => answer(new URL(url).pathname) });
  return `http://127.0.0.1:${server.port}`;
}

test("waits until /readyz answers 200", async () => {
  const answers = [503, 503, 200];
  const url = serve((path) => new Response("", { status: path === "/readyz" ? (answers.shift() ?? 500) : 404 }));
  await expect(waitUntilReady(url, never)).resolves.toBe(true);
  expect(answers).toEqual([]);
});

test("ends when its signal aborts, while nothing answers", async () => {
  const stopping = new AbortController();
  const url = serve(() => new Response("", { status: 503 }));
  await server?.stop(true);
  const waiting = waitUntilReady(url, stopping.signal);
  stopping.abort();
  await expect(waiting).resolves.toBe(false);
});

test("reads the leader from /cluster", async () => {
  const url = serve(() => Response.json({ data: { ...cluster, leader: 3, term: 7 } }));
  await expect(askLeader(url, never)).resolves.toEqual({ leader: 3, term: 7 });
});

test.each([
  ["no replica leads", Response.json({ data: { ...cluster, leader: null, term: 0 } })],
  ["an error", Response.json({ error: {} }, { status: 503 })],
  ["no JSON", new Response("hello")],
  ["other JSON", Response.json([null])],
])("resolves with undefined: %s", async (_case, response) => {
  await expect(
    askLeader(
      serve(() => response),
      never,
    ),
  ).resolves.toBeUndefined();
});
