/** The forms, byte for byte, into which proxies rewrite a reply. A client must be able to read each of them. */

import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";

/** The parts of a reply in the order in which they are sent; `null` closes the connection. */
export type Pieces = readonly (string | Uint8Array | null)[];

const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

/** Each rewriting turns a body into the pieces of a reply with status 200. */
export const rewritings: Readonly<Record<string, (body: string) => Pieces>> = {
  untouched: (body) => [`${head}${lengthOf(body)}\r\n`, body],
  "in chunks": (body) => [`${head}Transfer-Encoding: chunked\r\n\r\n`, ...chunks(body), "0\r\n\r\n"],
  "in chunks with extensions and a trailer": (body) => [
    `${head}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n`,
    ...chunks(body, ";name=value"),
    "0\r\nX-Sum: 1\r\n\r\n",
  ],
  "ended by the connection": (body) => [`${head}Connection: close\r\n\r\n`, body, null],
  "of HTTP/1.0": (body) => [`HTTP/1.0 200 OK\r\n${lengthOf(body)}\r\n`, body, null],
  "of HTTP/1.0, ended by the connection": (body) => ["HTTP/1.0 200 OK\r\n\r\n", body, null],
  "after 103 Early Hints": (body) => [
    "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
    `${head}${lengthOf(body)}\r\n`,
    body,
  ],
  "after 100 Continue": (body) => ["HTTP/1.1 100 Continue\r\n\r\n", `${head}${lengthOf(body)}\r\n`, body],
  "as gzip": (body) => compressed("gzip", gzipSync(body)),
  "as gzip in chunks": (body) => {
    const zipped = gzipSync(body);
    const coding = `${head}Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n`;
    return [coding, `${zipped.length.toString(16)}\r\n`, zipped, "\r\n0\r\n\r\n"];
  },
  "as deflate": (body) => compressed("deflate", deflateSync(body)),
  "as br": (body) => compressed("br", brotliCompressSync(body)),
  "as zstd": (body) => compressed("zstd", zstdCompressSync(body)),
  "as deflate, then gzip": (body) => compressed("deflate, gzip", gzipSync(deflateSync(body))),
};

/** Starts a server that answers every request with these pieces. `received` is called with each request. */
export function replyInPieces(pieces: Pieces, received: (request: string) => void = () => {}): Bun.TCPSocketListener {
  return Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      async data(socket, chunk) {
        received(chunk.toString());
        for (const piece of pieces) {
          if (piece === null) socket.end();
          else socket.write(piece);
          socket.flush();
          await new Promise((resolve) => setImmediate(resolve));
        }
      },
    },
  });
}

function lengthOf(body: string | Uint8Array): string {
  return `Content-Length: ${Buffer.byteLength(body)}\r\n`;
}

function chunks(body: string, extension = ""): string[] {
  return [body.slice(0, 5), body.slice(5)].map(
    (part) => `${Buffer.byteLength(part).toString(16)}${extension}\r\n${part}\r\n`,
  );
}

function compressed(coding: string, body: Uint8Array): Pieces {
  return [`${head}Content-Encoding: ${coding}\r\n${lengthOf(body)}\r\n`, body];
}
