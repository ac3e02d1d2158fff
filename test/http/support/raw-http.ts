/** HTTP as bytes on a socket, for requests that no well-behaved client sends. */

import { connect } from "node:net";

/**
 * Sends the parts one after the other and returns all that is received until the server closes the connection. The
 * request must ask for that (`Connection: close`) unless the server closes by itself.
 */
export function sendRaw(port: number, ...parts: readonly string[]): Promise<string> {
  return exchange(port, parts, () => false);
}

/** Sends the parts and returns the first whole reply, for a server that keeps the connection. */
export function sendRawUntilReply(port: number, ...parts: readonly string[]): Promise<string> {
  return exchange(port, parts, isWholeReply);
}

/** Sends the requests on one connection, each after the reply to the one before it, and returns the replies. */
export async function sendRawInTurn(port: number, ...requests: readonly string[]): Promise<string[]> {
  const socket = connect(port, "127.0.0.1");
  socket.setEncoding("latin1");
  const replies: string[] = [];
  try {
    for (const request of requests) {
      replies.push(
        await new Promise<string>((resolve, reject) => {
          let received = "";
          const take = (text: string) => {
            received += text;
            if (!isWholeReply(received)) return;
            socket.off("data", take).off("close", lost);
            resolve(received);
          };
          const lost = () =>
            reject(
              new Error(
                `the server must reply to ${requests.length} requests (got ${replies.length} replies, then the end)`,
              ),
            );
          socket.on("data", take).on("close", lost);
          socket.write(request, "latin1");
        }),
      );
    }
  } finally {
    socket.destroy();
  }
  return replies;
}

/**
 * Sends a HEAD and, after the head of its reply, a request that closes the connection. Returns that head as `first`,
 * and all that follows as `rest`.
 */
export function sendRawAfterHead(
  port: number,
  head: string,
  closing: string,
): Promise<{ first: string; rest: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let received = "";
    let headLength = 0;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      received += text;
      if (headLength > 0 || !received.includes("\r\n\r\n")) return;
      headLength = received.indexOf("\r\n\r\n") + 4;
      socket.write(closing, "latin1");
    });
    socket.on("close", () => resolve({ first: received.slice(0, headLength), rest: received.slice(headLength) }));
    socket.on("error", reject);
    socket.write(head, "latin1");
  });
}

function isWholeReply(received: string): boolean {
  const end = received.indexOf("\r\n\r\n");
  if (end === -1 || received.startsWith("HTTP/1.1 304")) return end !== -1;
  const length = /\r\ncontent-length: (\d+)/i.exec(received)?.[1];
  return length !== undefined && received.length >= end + 4 + Number(length);
}

/** Sends the text and leaves the connection open. `first` is the first data received; `closed` resolves at the end. */
export function openRaw(port: number, text: string): Promise<{ first: string; closed: Promise<void> }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.setEncoding("latin1");
    const closed = new Promise<void>((done) => socket.on("close", () => done()));
    socket.once("data", (first: string) => resolve({ first, closed }));
    socket.on("error", reject);
    socket.write(text, "latin1");
  });
}

function exchange(port: number, parts: readonly string[], isWhole: (received: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let received = "";
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      received += text;
      if (isWhole(received)) socket.destroy();
    });
    socket.on("close", () => resolve(received));
    // A server may refuse before it has read all: then its reply counts, not the error.
    socket.on("error", (error) => (received === "" ? reject(error) : resolve(received)));
    for (const part of parts) socket.write(part, "latin1");
  });
}

export interface RawReply {
  readonly status: number;
  /** With names in lower case, in the order of arrival, including repeated headers. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** Parses a text that is one reply. */
export function parseRaw(text: string): RawReply {
  const end = text.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { status: Number(statusLine.split(" ")[1]), headers, body: text.slice(end + 4) };
}

export function headerOf(reply: RawReply, name: string): string[] {
  return reply.headers.filter(([header]) => header === name).map(([, value]) => value);
}
