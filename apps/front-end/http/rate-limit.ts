/**
 * Token buckets: each client may send as many requests a second as the limit says, and as many at once.
 *
 * A bucket is one number, the time at which it will be full again (the "generic cell rate algorithm"): nothing has to be
 * refilled by a timer. Pure: the time is an argument.
 */

import type { Access } from "@stock-bazaar/contract/access";
import { Failure, tooManyMessage } from "./failures.ts";

/**
 * Limit on the buckets. The one that was used least recently goes first: a client with more addresses than this isn't
 * limited by its addresses anyway.
 */
const clientsMax = 10_000;
const windowMs = 1000;

export class RateLimit {
  /** The reply to a request above the limit. */
  readonly refusal: Failure;
  readonly #intervalMs: number;
  readonly #fullAtMs = new Map<string, number>();

  /** `name` is that of the limit in the headers of its refusal. */
  constructor(name: string, perSecond: number) {
    this.#intervalMs = windowMs / perSecond;
    this.refusal = new Failure(429, "UNAVAILABLE", tooManyMessage, {
      "retry-after": "1",
      ratelimit: `"${name}";r=0;t=1`,
      "ratelimit-policy": `"${name}";q=${perSecond};w=1`,
    });
  }

  /** Whether the client may send a request at this time, on a monotonic clock. If so, it counts. */
  take(client: string, nowMs: number): boolean {
    const fullAtMs = Math.max(this.#fullAtMs.get(client) ?? nowMs, nowMs) + this.#intervalMs;
    // A tolerance for the rounding of sums: without it, one request in a full bucket could be refused.
    if (fullAtMs - nowMs > windowMs + 1e-6 * windowMs) return false;
    // Moves the client to the end, which makes the first the one to drop.
    this.#fullAtMs.delete(client);
    if (this.#fullAtMs.size >= clientsMax) this.#fullAtMs.delete(this.#fullAtMs.keys().next().value ?? "");
    this.#fullAtMs.set(client, fullAtMs);
    return true;
  }
}

export interface RateLimits {
  readonly trades: RateLimit | undefined;
  /** Everything but trades. */
  readonly reads: RateLimit | undefined;
}

/** In requests per second; 0 is no limit. */
export function rateLimitsOf({ trades, reads }: { readonly trades: number; readonly reads: number }): RateLimits {
  const limit = (name: string, perSecond: number) => (perSecond === 0 ? undefined : new RateLimit(name, perSecond));
  return { trades: limit("trades", trades), reads: limit("reads", reads) };
}

export function limitAt(access: Access, { trades, reads }: RateLimits): RateLimit | undefined {
  return access === "trade" ? trades : reads;
}
