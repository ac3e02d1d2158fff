/**
 * Reads what a client sent.
 *
 * No length, encoding or type is trusted. A request that can't be read becomes a refusal, never an exception, and no
 * body takes more memory than the limit.
 */

import { requestIdHeader } from "@stock-bazaar/contract/headers";
import { stockNameLengthMax } from "@stock-bazaar/shared/domain";
import { jsonType } from "./reply.ts";

/** The largest body of a request. A trade takes about 60 bytes. */
const bodyBytesMax = 65_536;

const visibleAscii = /^[\x21-\x7e]+$/;
const requestIdLengthMax = 128;

/** Follows a request through the logs of every process. Its reply contains it. */
export interface RequestId {
  readonly text: string;
  /** True if it was made for this request, and false if it came from the client, which may send it again. */
  readonly minted: boolean;
}

/** Returns the client's own `x-request-id` if it is fit for logs and headers, else a new one. */
export function requestIdOf(request: Request): RequestId {
  const given = request.headers.get(requestIdHeader);
  if (given === null || given.length > requestIdLengthMax || !visibleAscii.test(given)) {
    return { text: Bun.randomUUIDv7(), minted: true };
  }
  return { text: given, minted: false };
}

/**
 * Whether a stock may have this name. A name that is empty, too long or not Unicode is not sent to the catalog: UTF-8
 * can't encode a lone surrogate, so the catalog would receive another name.
 */
export function isPossibleStockName(name: string): boolean {
  return name.length > 0 && name.length <= stockNameLengthMax && name.isWellFormed();
}

/** Whether `If-None-Match` names this tag, by the weak comparison of RFC 9110. Our tags contain no comma. */
export function matchesTag(ifNoneMatch: string | null, tag: string): boolean {
  if (ifNoneMatch === null) return false;
  if (ifNoneMatch === tag) return true;
  return ifNoneMatch.split(",").some((entry) => {
    const candidate = entry.trim();
    return candidate === "*" || candidate === tag || candidate === `W/${tag}`;
  });
}

export function isJson(contentType: string | null): boolean {
  if (contentType === null) return false;
  if (contentType === jsonType) return true;
  const [mediaType = ""] = contentType.split(";", 1);
  return mediaType.trim().toLowerCase() === jsonType;
}

export const tooLarge = Symbol("a body over the limit");

/** Resolves with the JSON value in the body, or with `tooLarge`. Rejects if there is none, or only a part of it. */
export function readJson(request: Request): Promise<unknown> {
  const length = request.headers.get("content-length");
  if (length === null) return readCounted(request);
  return Number(length) > bodyBytesMax ? Promise.resolve(tooLarge) : request.json();
}

/** Reads a body without a `Content-Length`: counts the bytes as they arrive, and stops at the limit. */
async function readCounted(request: Request): Promise<unknown> {
  if (request.body === null) throw new SyntaxError("no body");
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
    if (bytes > bodyBytesMax) {
      await reader.cancel();
      return tooLarge;
    }
    chunks.push(value);
  }
  return JSON.parse(Buffer.concat(chunks, bytes).toString("utf8"));
}
