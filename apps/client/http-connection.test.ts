import { afterEach, expect, test, vi } from "vitest";
import { type Pieces, replyInPieces, rewritings } from "../../test/support/rewritten-replies.ts";
import { HttpConnection } from "./http-connection.ts";

let server: Bun.TCPSocketListener | undefined;
let connection: HttpConnection | undefined;

afterEach(() => {
  connection?.close();
  server?.stop(true);
  vi.unstubAllEnvs();
});

function connect(pieces: Pieces, patienceMs?: number): { sent: string[]; http: HttpConnection } {
  const sent: string[] = [];
  server = replyInPieces(pieces, (request) => sent.push(request));
  connection = new HttpConnection(`http://127.0.0.1:${server.port}`, patienceMs);
  return { sent, http: connection };
}

test("a reply that arrives in pieces is joined, and the connection is used again", async () => {
  const { sent, http } = connect(["HTTP/1.1 200 OK\r\nX-Cache: h", "it\r\nContent-Length: 4\r\n\r\n{", '"":']);
  const first = await http.request("GET", "/stocks/a", {});
  expect(first).toMatchObject({ status: 200, text: '{"":' });
  expect(first.headers.get("x-cache")).toBe("hit");
  await http.request("POST", "/orders", { "idempotency-key": "k" }, "ö");
  expect(sent).toEqual([
    `GET /stocks/a HTTP/1.1\r\nhost: 127.0.0.1:${server?.port}\r\nConnection: keep-alive\r\n\r\n`,
    `POST /orders HTTP/1.1\r\nhost: 127.0.0.1:${server?.port}\r\nidempotency-key: k\r\n` +
      "content-type: application/json\r\ncontent-length: 2\r\nConnection: keep-alive\r\n\r\nö",
  ]);
});

test("BAZAAR_TOKEN is sent with every request, and a wrong one isn't shown", async () => {
  vi.stubEnv("BAZAAR_TOKEN", "mine");
  const { sent, http } = connect(["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]);
  await http.request("GET", "/stocks/a", {});
  expect(sent[0]).toMatch(/^authorization: Bearer mine$/m);
  vi.stubEnv("BAZAAR_TOKEN", "my secret");
  expect(() => new HttpConnection("http://127.0.0.1:1")).toThrow(
    'BAZAAR_TOKEN must be a token, without spaces, as `bazaar token add` prints it (got "…")',
  );
});

test.each([
  ["a closed connection", ["HTTP/1.1 200 OK\r\n", null], "the server closed the connection"],
  ["half a body", ["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{}", null], "the server closed the connection"],
  [
    "chunks without an end",
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", null],
    "the server closed the connection",
  ],
  [
    "an unknown encoding",
    ["HTTP/1.1 200 OK\r\nContent-Encoding: rot13\r\nContent-Length: 2\r\n\r\n{}"],
    'content-encoding must be one of gzip, x-gzip, deflate, br, zstd (got "rot13")',
  ],
  [
    "a body that doesn't match its encoding",
    ["HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"],
    "the body must be valid gzip",
  ],
  ["a reply that isn't HTTP", ["SSH-2.0-OpenSSH\r\n\r\n"], 'the reply must be HTTP/1.1 (got "SSH-2.0-OpenSSH"'],
])("%s rejects the request", async (_case, pieces, message) => {
  await expect(connect(pieces).http.request("GET", "/", {})).rejects.toThrow(message);
});

test.each(Object.entries(rewritings))("a reply %s is read, and so is the next one", async (_how, rewrite) => {
  const body = '{"data":{"name":"Größe"}}';
  const { http } = connect(rewrite(body));
  for (const key of ["first", "second"]) {
    const reply = await http.request("POST", "/orders", { "idempotency-key": key }, "{}");
    expect(reply).toMatchObject({ status: 200, text: body });
  }
});

test.each([204, 304])("a reply with status %i has no body, whatever its content-length", async (status) => {
  const { http } = connect([`HTTP/1.1 ${status} -\r\nContent-Length: 30\r\nContent-Encoding: gzip\r\n\r\n`]);
  expect(await http.request("GET", "/", {})).toMatchObject({ status, text: "" });
});

test("a request that is lost on a keep-alive connection rejects and is not sent again", async () => {
  let requests = 0;
  server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket) {
        requests += 1;
        if (requests === 1) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        else socket.end();
      },
    },
  });
  connection = new HttpConnection(`http://127.0.0.1:${server.port}`);
  await connection.request("GET", "/", {});
  await expect(connection.request("GET", "/", {})).rejects.toThrow("the server closed the connection");
  expect(requests).toBe(2);
});

test.each(["http_proxy", "HTTP_PROXY", "ALL_PROXY"])("%s of the environment is not used", async (variable) => {
  vi.stubEnv(variable, "http://127.0.0.1:1");
  vi.stubEnv("NODE_USE_ENV_PROXY", "1");
  const { http } = connect(["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"]);
  expect(await http.request("GET", "/", {})).toMatchObject({ status: 200 });
});

test("a request without a reply rejects after patienceMs", async () => {
  await expect(connect([], 1).http.request("GET", "/", {})).rejects.toThrow("no reply within 1 ms");
});

test("an IPv6 address is used as an address, not looked up as a name", async () => {
  await expect(new HttpConnection("http://[::1]:1").request("GET", "/", {})).rejects.toThrow(/^connect E\w+ ::1/);
});
