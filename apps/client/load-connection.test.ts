import { afterEach, expect, test } from "vitest";
import { type Pieces, replyInPieces, rewritings } from "../../test/support/rewritten-replies.ts";
import { LoadConnection, RewrittenReplyError } from "./load-connection.ts";

let server: Bun.TCPSocketListener | undefined;
let connection: LoadConnection | undefined;

afterEach(() => {
  connection?.close();
  server?.stop(true);
});

function connect(pieces: Pieces, patienceMs?: number): { sent: string[]; http: LoadConnection } {
  const sent: string[] = [];
  server = replyInPieces(pieces, (request) => sent.push(request));
  connection = new LoadConnection(`http://127.0.0.1:${server.port}`, patienceMs);
  return { sent, http: connection };
}

test("a reply that arrives in pieces is joined, and the connection is used again", async () => {
  const { sent, http } = connect(["HTTP/1.1 200 OK\r\nX-Cache: h", "it\r\nContent-Length: 4\r\n\r\n{", '"":']);
  const first = await http.request("GET", "/stocks/a", {});
  expect(first).toMatchObject({ status: 200, text: '{"":' });
  expect(first.headers.get("x-cache")).toBe("hit");
  await http.request("POST", "/orders", { "idempotency-key": "k" }, "ö");
  expect(sent).toEqual([
    `GET /stocks/a HTTP/1.1\r\nhost: 127.0.0.1:${server?.port}\r\n\r\n`,
    `POST /orders HTTP/1.1\r\nhost: 127.0.0.1:${server?.port}\r\nidempotency-key: k\r\n` +
      "content-type: application/json\r\ncontent-length: 2\r\n\r\nö",
  ]);
});

test.each([
  ["a closed connection", ["HTTP/1.1 200 OK\r\n", null], "the server closed the connection"],
  ["a reply that isn't HTTP", ["SSH-2.0-OpenSSH\r\n\r\n"], 'the reply must be HTTP (got "SSH-2.0-OpenSSH")'],
])("%s rejects the request", async (_case, pieces, message) => {
  await expect(connect(pieces).http.request("GET", "/", {})).rejects.toThrow(message);
});

test.each(Object.entries(rewritings).filter(([how]) => how !== "untouched"))(
  "a reply %s is refused as rewritten",
  async (_how, rewrite) => {
    await expect(connect(rewrite("{}")).http.request("GET", "/", {})).rejects.toThrow(RewrittenReplyError);
  },
);

test("a request without a reply rejects after patienceMs", async () => {
  await expect(connect([], 1).http.request("GET", "/", {})).rejects.toThrow("no reply within 1 ms");
});

test("an IPv6 address is used as an address, not looked up as a name", async () => {
  await expect(new LoadConnection("http://[::1]:1").request("GET", "/", {})).rejects.toThrow(/^connect E\w+ ::1/);
});
