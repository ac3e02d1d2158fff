import { expect, test } from "vitest";
import { openEvents } from "./event-reader.ts";

/** Opens a stream of these pieces, and returns what the listeners get. */
async function read(response: Response | Error, names: readonly string[]): Promise<unknown[]> {
  const received: unknown[] = [];
  const source = openEvents("/events", async (url) => {
    expect(url).toBe("/events");
    if (response instanceof Error) throw response;
    return response;
  });
  const ended = new Promise<void>((resolve) => source.addEventListener("error", () => resolve()));
  for (const name of names) source.addEventListener(name, (event) => void received.push([name, event]));
  await ended;
  return received;
}

const inPieces = (...pieces: string[]) =>
  new Response(
    new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
        controller.close();
      },
    }),
  );

test("events are read, wherever the stream is cut", async () => {
  const text =
    'event: hello\ndata: {"faults":false}\n\nevent: orders\nid: 165\ndata: {"a: b":1}\n\nevent: sample\ndata: {';
  const expected = [
    ["hello", { data: '{"faults":false}', lastEventId: "" }],
    ["orders", { data: '{"a: b":1}', lastEventId: "165" }],
  ];
  for (let cut = 0; cut <= text.length; cut += 1) {
    const names = ["hello", "orders", "sample"];
    expect(await read(inPieces(text.slice(0, cut), text.slice(cut)), names)).toEqual(expected);
  }
});

test("a refusal is passed on with its message", async () => {
  const refusal = Response.json({ error: { message: "A token is required" } }, { status: 401 });
  expect(await read(refusal, ["refused"])).toEqual([["refused", { data: "A token is required" }]]);
});

test.each([
  ["no answer", new TypeError("Failed to fetch")],
  ["another status", new Response("{}", { status: 503 })],
  ["a refusal that isn't ours", new Response("<html>", { status: 403 })],
])("%s is an error", async (_, response) => {
  expect(await read(response, ["refused", "hello"])).toEqual([]);
});

test("a closed stream passes nothing on, and ends its request", async () => {
  let isAborted = false;
  const received: string[] = [];
  const source = openEvents("/events", (_, { signal }) => {
    signal?.addEventListener("abort", () => (isAborted = true));
    return Promise.resolve(inPieces("event: hello\ndata: 1\n\n"));
  });
  for (const name of ["hello", "error"]) source.addEventListener(name, () => void received.push(name));
  source.close();
  await Bun.sleep(0);
  expect([isAborted, received]).toEqual([true, []]);
});
