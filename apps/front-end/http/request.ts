/**
 * Reads what a client sent.
 *
 * No length, encoding or type is trusted. A request that can't be read becomes a refusal, never an exception, and no
 * body takes more memory than the limit.
 */

import { requestIdHeader } from "@stock-bazaar/contract/headers";
import { stockNameLengthMax, type TradeType } from "@stock-bazaar/shared/domain";
import type { ZodType } from "zod";
import { bodyTooLarge, type Failure } from "./failures.ts";
import { jsonType } from "./reply.ts";

/** The largest body of a request. A trade takes about 60 bytes. */
const bodyBytesMax = 65_536;

const visibleAscii = /^[\x21-\x7e]+$/;
const requestIdLengthMax = 128;

/** Returns the client's own `x-request-id` if it is fit for logs and headers, else a new one. */
export function requestIdOf(request: Request): string {
  const given = request.headers.get(requestIdHeader);
  if (given !== null && given.length <= requestIdLengthMax && visibleAscii.test(given)) return given;
  return Bun.randomUUIDv7();
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

export interface TradeWish {
  readonly name: string;
  readonly quantity: number;
  readonly type: TradeType;
}

/** How a route reads its trades: the schema, and its failures; the first that applies, in this order, is the reply. */
export interface TradeForm {
  readonly schema: ZodType<TradeWish>;
  readonly wrongContentType: Failure;
  /** `malformed` if absent. */
  readonly notJson?: Failure;
  readonly malformed: Failure;
  readonly invalid: readonly Failure[];
  /** Replacements for some of these failures. */
  readonly reworded?: ReadonlyMap<Failure, Failure>;
}

/** Returns the trade in the body, or the failure to reply with. */
export async function readTrade(request: Request, form: TradeForm): Promise<TradeWish | Failure> {
  if (!isJson(request.headers.get("content-type"))) return form.wrongContentType;
  const body = await readJson(request);
  if (body === tooLarge) return bodyTooLarge;
  if (body === undefined && form.notJson) return form.notJson;
  const parsed = form.schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const found = [form.malformed, ...form.invalid].find(({ message }) =>
    issues.some((issue) => issue.message === message),
  );
  const failure = found ?? form.malformed;
  return form.reworded?.get(failure) ?? failure;
}

const tooLarge = Symbol("a body over the limit");

/** Returns the JSON value in the body, `undefined` if it isn't JSON, or `tooLarge`. */
async function readJson(request: Request): Promise<unknown> {
  const lengthText = request.headers.get("content-length");
  try {
    if (lengthText === null) return await readCounted(request);
    const length = Number(lengthText);
    if (length > bodyBytesMax) return tooLarge;
    return await request.json();
  } catch {
    // Not JSON, or the client disconnected while it sent the body.
    return undefined;
  }
}

/** Reads a body without a `Content-Length`: counts the bytes as they arrive, and stops at the limit. */
async function readCounted(request: Request): Promise<unknown> {
  if (request.body === null) return undefined;
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
