/** The headers that have a meaning in this contract, by their names in lower case. */

export const idempotencyKeyHeader = "idempotency-key";
/** `true` if the reply is the first outcome of a known key. */
export const replayedHeader = "idempotent-replayed";
export const requestIdHeader = "x-request-id";
/** Where a lookup's answer came from: a `CacheUse`. */
export const cacheHeader = "x-cache";

/** Fit for a header, and short enough for an index. */
export const idempotencyKeyPattern = /^[\x21-\x7e]{1,255}$/;

/** The description of each reply header in the OpenAPI document. */
export const responseHeaders = {
  [requestIdHeader]: "The request's own `x-request-id`, or a generated one; the log contains it",
  etag: "The life of the catalog's ledger, and the stock's revision in it",
  "cache-control":
    "`no-store`. For `/events` `no-cache, no-transform`: no proxy may keep events, or hold them back to compress them",
  "x-accel-buffering": "`no`: nginx forwards each event at once",
  "content-security-policy":
    "Allows the page to run its own scripts and to send requests to this front-end, nothing else",
  "referrer-policy": "`no-referrer`",
  "x-content-type-options": "`nosniff`",
  "x-frame-options": "`DENY`",
  "cross-origin-opener-policy": "`same-origin`",
  "cross-origin-resource-policy": "`same-origin`",
  [cacheHeader]:
    "`hit` (from the cache), `miss` (from the catalog, and cached) or `bypass` (from the catalog, cache unavailable)",
  [replayedHeader]: "`true` if the key was known: this is its first outcome, and nothing was done again",
  [idempotencyKeyHeader]: "The key that was generated for the trade, as the request had none: a retry with it is safe",
  "www-authenticate": "`Bearer`: how to send a token, and what was wrong with the one that was sent",
  ratelimit: "The limit that the request exceeded: `r` requests are left for `t` seconds",
  "ratelimit-policy": "That limit: `q` requests in `w` seconds",
  "retry-after": "Seconds to wait before a retry",
} as const;

export type ResponseHeaderName = keyof typeof responseHeaders;
