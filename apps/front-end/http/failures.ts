/**
 * Every failure that the contract names: status, reason and message, character for character. The routes and the
 * OpenAPI document both use them, so a reply can't differ from its documentation.
 */

import type { Scope } from "@stock-bazaar/contract/access";
import { cacheHeader, idempotencyKeyHeader, type ResponseHeaderName } from "@stock-bazaar/contract/headers";
import type { FailureReason } from "@stock-bazaar/contract/reasons";
import { invalidQuantityMessage, invalidTradeTypeMessage, malformedTradeMessage } from "@stock-bazaar/contract/schemas";
import { jsonType, Reply, type ReplyHeaders } from "./reply.ts";

export class Failure extends Reply {
  /** The code in the body. It equals the status, unless a dialect replies with another status. */
  readonly code: number;
  readonly reason: FailureReason;
  readonly message: string;

  constructor(code: number, reason: FailureReason, message: string, headers?: ReplyHeaders, status = code) {
    super(status, jsonType, JSON.stringify({ error: { code, message, reason } }), headers);
    this.code = code;
    this.reason = reason;
    this.message = message;
  }

  override withStatus(status: number): Failure {
    return new Failure(this.code, this.reason, this.message, this.headers, status);
  }
}

/** The replies of a route if the services behind it don't answer in time (503) or fail (500). */
export interface Outage {
  readonly unavailable: Failure;
  readonly internal: Failure;
  /** Headers whose values come from the request's handler: it rejects with an `Unanswered` that has them. */
  readonly handlerHeaders?: readonly ResponseHeaderName[];
}

/** The error of a handler that has no reply, with headers for the outage's reply. */
export class Unanswered extends Error {
  readonly headers: ReplyHeaders;

  constructor(cause: unknown, headers: ReplyHeaders) {
    super("no answer", { cause });
    this.headers = headers;
  }
}

const retryAfter = { "retry-after": "1" } as const;

export function outage(unavailable: string, internal: string, headers: ReplyHeaders = {}): Outage {
  return {
    unavailable: new Failure(503, "UNAVAILABLE", unavailable, { ...retryAfter, ...headers }),
    internal: new Failure(500, "INTERNAL_ERROR", internal, headers),
  };
}

export const tradeOutage: Outage = {
  ...outage(
    "Stock could not be traded: no answer in time; retry with the same Idempotency-Key",
    "Stock could not be traded due to internal error",
  ),
  handlerHeaders: [idempotencyKeyHeader],
};
export const lookupOutage = outage(
  "Stock could not be looked up: no answer in time; try again",
  "Lookup Failed due to internal error",
  // The lookup neither used the cache nor filled it.
  { [cacheHeader]: "bypass" },
);
export const orderOutage = outage(
  "Orders could not be read: no answer in time; try again",
  "Lookup Failed due to internal error",
);
export const cacheOutage = outage(
  "Cache could not be reached: no answer in time; try again",
  "Cache Invalidation Failed due to internal error",
);
export const operationsOutage = outage(
  "State could not be read: no answer in time; try again",
  "State could not be read due to internal error",
);

export const stockNotFound = new Failure(404, "INVALID_STOCKNAME", "stock not found");
export const orderNumberNotFound = new Failure(404, "INVALID_ORDERNUMBER", "order number not found");
/** A known path with a missing or malformed part. */
export const invalidGet = new Failure(400, "INVALID_REQUEST", "Invalid GET request/URL");

export const malformedTrade = new Failure(400, "INVALID_REQUEST", malformedTradeMessage);
export const invalidQuantity = new Failure(400, "INVALID_REQUEST", invalidQuantityMessage);
export const invalidTradeType = new Failure(400, "INVALID_REQUEST", invalidTradeTypeMessage);
export const invalidKey = new Failure(
  400,
  "INVALID_REQUEST",
  "Idempotency-Key must be 1 to 255 visible ASCII characters",
);
export const insufficientQuantity = new Failure(
  400,
  "INSUFFICIENT_QUANTITY",
  "Available quantity to buy is less than requested quantity",
);
export const bodyTooLarge = new Failure(413, "INVALID_REQUEST", "Request body is larger than 64 KiB");
/** The limit is 2^52 units: ten thousand trades a second of the largest quantity reach it within minutes. */
export const volumeFull = new Failure(
  400,
  "INVALID_REQUEST",
  "Stock has been traded so much that this quantity can no longer be counted",
);
export const keyReused = new Failure(422, "KEY_REUSED", "Idempotency-Key was used with a different request");

const tokenHeader = "www-authenticate";
export const tokenMissing = new Failure(
  401,
  "INVALID_REQUEST",
  "A token is required: send it as Authorization: Bearer TOKEN",
  { [tokenHeader]: "Bearer" },
);
export const tokenUnknown = new Failure(
  401,
  "INVALID_REQUEST",
  "The token is not known: it must be sent as Authorization: Bearer TOKEN, and not be revoked",
  { [tokenHeader]: 'Bearer error="invalid_token"' },
);
const lacks = (scope: Scope) =>
  new Failure(403, "INVALID_REQUEST", `The token must have the scope ${scope}`, {
    [tokenHeader]: `Bearer error="insufficient_scope", scope="${scope}"`,
  });
export const scopeMissing: Readonly<Record<Scope, Failure>> = {
  read: lacks("read"),
  trade: lacks("trade"),
  admin: lacks("admin"),
};

/** The limit's headers have its figures. */
export const tooManyMessage = "Too many requests: wait as long as Retry-After says";

export const tooBusy = new Failure(
  503,
  "UNAVAILABLE",
  "Too many requests are under way: nothing was done; try again",
  retryAfter,
);

export const dashboardOutage = outage(
  "The dashboard could not be built: no answer in time; try again",
  "The dashboard could not be built due to internal error",
);
export const faultOutage = outage(
  "The leader could not be reached: no answer in time; try again",
  "The leader could not be reached due to internal error",
);
export const catalogFaultOutage = outage(
  "The catalog could not be reached: no answer in time; try again",
  "The catalog could not be reached due to internal error",
);
export const foreignPage = new Failure(403, "INVALID_REQUEST", "Faults must be requested by this front-end's own page");
export const leaderAway = new Failure(503, "UNAVAILABLE", "No order replica leads now; try again", retryAfter);
export const catalogAway = new Failure(503, "UNAVAILABLE", "No catalog is active now; try again", retryAfter);

export const catalogSilent = new Failure(503, "UNAVAILABLE", "Not ready: the catalog does not answer", retryAfter);
export const catalogRefuses = new Failure(
  503,
  "UNAVAILABLE",
  "Not ready: the catalog's ledger was longer once; restore the right catalog.db or rebuild it",
  retryAfter,
);
export const catalogReadOnly = new Failure(
  503,
  "UNAVAILABLE",
  "Not ready: the catalog answers lookups but can't write its ledger; see /cluster for the reason",
  retryAfter,
);
export const otherVersion = new Failure(
  503,
  "UNAVAILABLE",
  "Not ready: a service uses another version of the messages than this front-end; the log names it",
  retryAfter,
);
export const frontEndStopping = new Failure(503, "UNAVAILABLE", "Not ready: this front-end is stopping", retryAfter);
export const noLeader = new Failure(503, "UNAVAILABLE", "Not ready: no order replica leads", retryAfter);

/** Makes the reply to a path that no route has. HEAD gets the text of GET. */
export function unknownRoute(method: string): Failure {
  return new Failure(404, "INVALID_REQUEST", invalidRequest(method));
}

/** Makes the reply to a path that has routes, but none for this method. */
export function methodNotAllowed(method: string, allow: string): Failure {
  return new Failure(405, "INVALID_REQUEST", invalidRequest(method), { allow });
}

function invalidRequest(method: string): string {
  return `Invalid ${method === "HEAD" ? "GET" : method} request/URL`;
}
