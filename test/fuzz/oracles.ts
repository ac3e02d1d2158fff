/**
 * What no answer may show, whatever was asked. Each function returns a sentence for each fault.
 */

import { root } from "@stock-bazaar/cluster/service";
import type { HttpReply } from "./http/reply.ts";

/** Traces of the program: a stack, a path, the text of an error that JavaScript or SQLite made. */
const traces = [
  /\bat .{0,200}\.[cm]?[jt]s:\d+/,
  /node_modules/,
  /\b(?:apps|db|proto)\/[\w/.-]+\.ts\b/,
  /\b(?:Type|Reference|Syntax|Range)Error\b/,
  /\bSQLITE_[A-Z]/,
  /is not (?:a function|iterable|an object)\b|evaluating '/,
  new RegExp(root.replaceAll(/[^\w/]/g, "\\$&")),
] as const;

/** Pages and scripts are code themselves. */
const checkedTypes = /^(?:application\/json|text\/plain)/;

/**
 * Bun's own refusals, which the app never sees (`apps/front-end/listen.ts`), and the answer to a browser's preflight, which
 * passes no route (`apps/front-end/http/cors.ts`).
 */
const withoutId: ReadonlySet<number> = new Set([204, 400, 413, 431, 505]);

export function tracesIn(text: string): string[] {
  return traces.flatMap((pattern) => {
    const found = pattern.exec(text);
    return found ? [`an answer must not show the program (got ${JSON.stringify(found[0])})`] : [];
  });
}

/** One dialect words refusals as 500. A failure has the reason INTERNAL_ERROR or UNAVAILABLE, or none. */
const refusalReason = /"reason":"(?:INVALID_|INSUFFICIENT_QUANTITY)/;

/** 501 and 505 are refusals. 503 is a failure here: every service is up. */
export function isFailure(status: number, text: string): boolean {
  return status >= 500 && status !== 501 && status !== 505 && !refusalReason.test(text);
}

export function faultsOfReply({ status, headers, body }: HttpReply, sentId: string | undefined): string[] {
  const faults: string[] = [];
  const type = headers.get("content-type");
  const text = type !== undefined && !checkedTypes.test(type) ? "" : body.toString();
  if (isFailure(status, text)) faults.push(`a reply must not fail (got ${status} ${text.slice(0, 200)})`);
  faults.push(...tracesIn(text));
  if (type?.startsWith("application/json") && text !== "") {
    try {
      JSON.parse(text);
    } catch {
      faults.push(`a reply of JSON must be JSON (got ${text.slice(0, 200)})`);
    }
  }
  const id = headers.get("x-request-id");
  if (id === undefined) {
    if (!withoutId.has(status)) faults.push(`a reply must have an x-request-id (got none with a ${status})`);
  } else if (sentId !== undefined && id !== sentId) {
    faults.push(`a reply must belong to the request ${sentId} (got the one to ${id})`);
  }
  return faults;
}

/** Whether a client's request id is repeated in the reply. */
const repeatedId = /^[\x21-\x7e]{1,128}$/;

/** The `x-request-id` of a request in Latin-1 that its reply must have. */
export function requestIdIn(request: string): string | undefined {
  const ids = [...request.slice(0, request.indexOf("\r\n\r\n")).matchAll(/\r\nx-request-id: ?(.*)/gi)];
  const id = ids.length === 1 ? ids[0]?.[1]?.trim() : undefined;
  return id !== undefined && repeatedId.test(id) ? id : undefined;
}
