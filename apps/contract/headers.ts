/** The headers that mean something particular here, by their names in lower case. */

export const idempotencyKeyHeader = "idempotency-key";
/** `true`: the reply is the first outcome of a key that was known. */
export const replayedHeader = "idempotent-replayed";
export const requestIdHeader = "x-request-id";
/** Where a lookup's answer came from: a `CacheUse`. */
export const cacheHeader = "x-cache";

/** Fit for a header, and short enough for an index. */
export const idempotencyKeyPattern = /^[\x21-\x7e]{1,255}$/;

/** What the OpenAPI document says of each header of a reply. */
export const responseHeaders = {
  [requestIdHeader]: "The request's own `x-request-id`, or one made for it; the logs tell it",
  etag: "The life of the catalog's ledger, and the stock's revision in it",
  "cache-control":
    "`no-store`: what is shown is what is, now. Of `/events` `no-cache, no-transform`: no proxy may keep it, or wait to pack it",
  "x-accel-buffering": "`no`: nginx passes each event on at once",
  "content-security-policy": "What the page may do: run the scripts that it brings, and talk to this front-end",
  "referrer-policy": "`no-referrer`",
  "x-content-type-options": "`nosniff`",
  [cacheHeader]:
    "`hit` (from the cache), `miss` (asked, and cached) or `bypass` (asked; the cache may not be used now)",
  [replayedHeader]: "`true`: the key was known, and this is its first outcome; nothing was done again",
  [idempotencyKeyHeader]: "The key that the trade got, as the request had none: with it, asking again is safe",
  "retry-after": "Seconds after which to try again",
} as const;

export type ResponseHeaderName = keyof typeof responseHeaders;
