import { expect, test } from "vitest";
import { json, Reply, StreamReply, text } from "./reply.ts";

const headersOf = (response: Response) => Object.fromEntries(response.headers);

test("a response keeps its headers when another is made from the same reply, or from another reply", () => {
  const hit = json({ data: 1 }, { "x-cache": "hit" });
  const first = hit.toResponse("first");
  const second = hit.toResponse("second");
  const plain = json({ data: 12 }).toResponse("plain");
  text("hello").toResponse("last");
  expect(headersOf(first)).toEqual({
    "content-type": "application/json",
    "content-length": "10",
    "x-cache": "hit",
    "x-request-id": "first",
  });
  expect(headersOf(second)).toEqual({ ...headersOf(first), "x-request-id": "second" });
  expect(headersOf(plain)).toEqual({
    "content-type": "application/json",
    "content-length": "11",
    "x-request-id": "plain",
  });
});

test("a response has the headers of the connection that it is sent over", () => {
  const over = (seconds: number) => ({
    persistence: ["keep-alive", `timeout=${seconds}`] as const,
    addressOf: () => undefined,
    endSoon() {},
  });
  const [one, other] = [over(90), over(5)];
  for (const reply of [json({ data: 1 }, { "x-cache": "hit" }), json({ data: 1 })]) {
    const sent = [one, one, other, undefined, one].map((connection) => reply.toResponse("id", connection).headers);
    expect(sent.map((headers) => headers.get("keep-alive"))).toEqual([
      "timeout=90",
      "timeout=90",
      "timeout=5",
      null,
      "timeout=90",
    ]);
  }
});

test("a stream without its body (HEAD) has no length on a connection, and is marked as chunked", () => {
  const connection = {
    persistence: ["keep-alive", "timeout=90"] as const,
    addressOf: () => undefined,
    endSoon() {},
  };
  const { headers } = new StreamReply("text/event-stream", null).toResponse("id", connection);
  expect(Object.fromEntries(headers)).toEqual({
    "content-type": "text/event-stream",
    "keep-alive": "timeout=90",
    "transfer-encoding": "chunked",
    "x-request-id": "id",
  });
});

test("a reply with more headers doesn't change the one that it was made from", () => {
  const reply = new Reply(404, "application/json", "{}", { "x-cache": "miss" });
  const more = reply.with({ "retry-after": "1" }).toResponse("id");
  expect(more.headers.get("retry-after")).toBe("1");
  expect(more.headers.get("x-cache")).toBe("miss");
  expect(reply.toResponse("id").headers.has("retry-after")).toBe(false);
});

test("a 304 has the length of the body that isn't sent", async () => {
  const response = json({ data: 1 }, { etag: '"1"' }).notModified().toResponse("id");
  expect(response.status).toBe(304);
  expect(response.headers.get("content-length")).toBe("10");
  expect(await response.text()).toBe("");
});
