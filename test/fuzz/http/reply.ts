/** Reads HTTP/1.1 replies from bytes, strictly: what can't be read is a finding. */

export interface HttpReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** The number of bytes of the reply. */
  readonly length: number;
  /** True for a stream of events, of which only the head was read. */
  readonly isStream: boolean;
  readonly closes: boolean;
}

const headEnd = Buffer.from("\r\n\r\n");
const statusLine = /^HTTP\/1\.1 (\d{3})(?: |$)/;

/** Returns the first reply, or `undefined` if it isn't whole yet. Throws an Error if it isn't a reply. */
export function readReply(bytes: Buffer, method: string): HttpReply | undefined {
  const end = bytes.indexOf(headEnd);
  if (end === -1) {
    const [line = ""] = bytes.subarray(0, 20).toString("latin1").split("\r\n");
    if (!"HTTP/1.1 ".startsWith(line.slice(0, 9)))
      throw new Error(`a reply must begin with HTTP/1.1 (got ${JSON.stringify(line)})`);
    return undefined;
  }
  const [first = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const status = Number(statusLine.exec(first)?.[1]);
  if (Number.isNaN(status)) throw new Error(`a reply must have a status line (got ${JSON.stringify(first)})`);
  const start = end + headEnd.length;
  if (status < 200) {
    const next = readReply(bytes.subarray(start), method);
    return next && { ...next, length: next.length + start };
  }
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) throw new Error(`a header must have a name (got ${JSON.stringify(line)})`);
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const isStream = headers.get("content-type") === "text/event-stream";
  const closes = headers.get("connection")?.toLowerCase() === "close";
  const whole = (body: Buffer, length: number) => ({ status, headers, body, length: start + length, isStream, closes });
  if (method === "HEAD" || status === 204 || status === 304 || isStream) return whole(Buffer.alloc(0), 0);
  const rest = bytes.subarray(start);
  if (headers.get("transfer-encoding") === "chunked") {
    const read = readChunks(rest);
    return read && whole(read.body, read.length);
  }
  const length = Number(headers.get("content-length") ?? Number.NaN);
  if (!Number.isSafeInteger(length)) throw new Error("a reply must have a content-length or chunks (got neither)");
  return rest.length < length ? undefined : whole(rest.subarray(0, length), length);
}

function readChunks(bytes: Buffer): { readonly body: Buffer; readonly length: number } | undefined {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return undefined;
    const line = bytes.subarray(at, lineEnd).toString("latin1");
    const size = /^[0-9a-f]+$/i.test(line) ? Number.parseInt(line, 16) : Number.NaN;
    if (Number.isNaN(size)) throw new Error(`a chunk must begin with its size (got ${JSON.stringify(line)})`);
    const next = lineEnd + 2 + size + 2;
    if (bytes.length < next) return undefined;
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
    if (size === 0) return { body: Buffer.concat(chunks), length: at };
  }
}
