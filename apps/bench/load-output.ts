/** Parses the output of both load generators into one type. Throws an error that contains output it can't parse. */

import { at } from "@stock-bazaar/shared/json";

export interface LoadResult {
  /** Replies with a status of 200 to 299, per second. */
  readonly requestsPerSecond: number;
  /** Over all replies, whatever their status; `p99Ms` too. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Replies with a status of 200 to 299. */
  readonly ok: number;
  /** Other replies, and requests without a reply. */
  readonly errors: number;
}

/**
 * Parses the last line of `wrk -s wrk.lua`. wrk counts a status >= 400 as an error; no system here sends 1xx or 3xx.
 */
export function parseWrk(output: string): LoadResult {
  const { requests, durationUs, p50Us, p99Us, status, connect, read, write, timeout } = lastLine(output, "wrk", [
    "requests",
    "durationUs",
    "p50Us",
    "p99Us",
    "status",
    "connect",
    "read",
    "write",
    "timeout",
  ]);
  const ok = requests - status;
  return {
    requestsPerSecond: ok / (durationUs / 1e6),
    p50Ms: p50Us / 1000,
    p99Ms: p99Us / 1000,
    ok,
    errors: status + connect + read + write + timeout,
  };
}

/** Parses the last line of `autocannon.ts`. */
export function parseAutocannon(output: string): LoadResult {
  const { ok, non2xx, errors, duration, p50Ms, p99Ms } = lastLine(output, "autocannon", [
    "ok",
    "non2xx",
    "errors",
    "duration",
    "p50Ms",
    "p99Ms",
  ]);
  return { requestsPerSecond: ok / duration, p50Ms, p99Ms, ok, errors: non2xx + errors };
}

function lastLine<Name extends string>(output: string, tool: string, names: readonly Name[]): Record<Name, number> {
  const line = output.trimEnd().split("\n").at(-1) ?? "";
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  const missing = names.filter((name) => !Number.isFinite(at(value, name)));
  if (missing.length > 0)
    throw new Error(
      `the last line of ${tool} must be JSON with the numbers ${missing.join(", ")} (got this output):\n${output.trim() || "(nothing)"}`,
    );
  return value as Record<Name, number>;
}
