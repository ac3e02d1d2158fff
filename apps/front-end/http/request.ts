/**
 * Reading what a client sent. Nothing here trusts a length, an encoding or a type: what can't be read becomes
 * a refusal, never an exception, and no body is held in memory beyond the limit.
 */

import { requestIdHeader } from "@stock-bazaar/contract/headers";
import { stockNameLengthMax, type TradeType } from "@stock-bazaar/shared/domain";
import type { ZodType } from "zod";
import { bodyTooLarge, type Failure } from "./failures.ts";
import { jsonType } from "./reply.ts";

/** Of a request's body. A trade takes about 60 bytes. */
const bodyBytesMax = 65_536;

const visibleAscii = /^[\x21-\x7e]+$/;
const requestIdLengthMax = 128;

/** The client's own `x-request-id` if it is fit for logs and headers, else a new one. */
export function requestIdOf(request: Request): string {
  const given = request.headers.get(requestIdHeader);
  if (given !== null && given.length <= requestIdLengthMax && visibleAscii.test(given)) return given;
  return Bun.randomUUIDv7();
}

/**
 * Can a stock have this name at all? What is too long, empty or not Unicode need not travel: the last would
 * even become another name on its way, as UTF-8 can't carry a lone surrogate.
 */
export function isPossibleStockName(name: string): boolean {
  return name.length > 0 && name.length <= stockNameLengthMax && name.isWellFormed();
}

/** Does `If-None-Match` name this tag? Compared weakly, as RFC 9110 asks for. Our tags hold no comma. */
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

/** How a route reads its trades: the schema, and its failures in the order in which they are told. */
export interface TradeForm {
  readonly schema: ZodType<TradeWish>;
  readonly wrongContentType: Failure;
  /** Absent: as `malformed`. */
  readonly notJson?: Failure;
  readonly malformed: Failure;
  readonly invalid: readonly Failure[];
  /** Of these failures, those that have other words here. */
  readonly reworded?: ReadonlyMap<Failure, Failure>;
}

/** The trade in the body, or why there is none. */
export async function readTrade(request: Request, form: TradeForm): Promise<TradeWish | Failure> {
  if (!isJson(request.headers.get("content-type"))) return form.wrongContentType;
  const body = await readJson(request);
  if (body === tooLarge) return bodyTooLarge;
  if (body === undefined && form.notJson) return form.notJson;
  const parsed = form.schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const told = [form.malformed, ...form.invalid].find(({ message }) =>
    issues.some((issue) => issue.message === message),
  );
  const failure = told ?? form.malformed;
  return form.reworded?.get(failure) ?? failure;
}

const tooLarge = Symbol("a body over the limit");

/** The body's JSON value, `undefined` if it isn't JSON. */
async function readJson(request: Request): Promise<unknown> {
  const lengthText = request.headers.get("content-length");
  try {
    if (lengthText === null) return await readCounted(request);
    const length = Number(lengthText);
    if (length > bodyBytesMax) return tooLarge;
    return await request.json();
  } catch {
    // Not JSON, or the client went away while it sent it.
    return undefined;
  }
}

/** For a body that doesn't tell its length: counts it while it arrives, and lets go at the limit. */
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
