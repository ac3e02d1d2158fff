/**
 * The path of one HTTP request, from its arrival to its reply.
 *
 * 1. The route is found. A plain lookup is recognised by its URL (`ahead`); Hono's router matches any other request. A
 *    request without a route goes the same way as one with a route, as "unmatched".
 * 2. Admission: the request may use the route, or gets a refusal.
 *    While too many requests wait for their replies, others are refused as well, except at open routes.
 * 3. The route's handler returns a reply. If it throws, the error is logged here, and the route's outage is the reply.
 * 4. `#leave`: the reply is counted, logged, and becomes a Response with the headers of its connection.
 *
 * There is no middleware: each of these steps is a call in this file. A cached lookup takes them without a promise.
 */

import type { Access } from "@stock-bazaar/contract/access";
import type { Logger } from "@stock-bazaar/process/log";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Context } from "hono";
import { admitAll, type Admission, type Reword } from "./admission.ts";
import type { Connection } from "./connection.ts";
import { type Failure, keyReused, type Outage, tooBusy, Unanswered } from "./failures.ts";
import type { RouteTimer } from "./latency.ts";
import { type Reply, StreamReply } from "./reply.ts";
import { requestIdOf } from "./request.ts";
import { type LogRequest, requestLog } from "./request-log.ts";
import type { Handle } from "./route.ts";

/** What the front door needs to know about a route. */
export interface Passage {
  /** Its name in logs and metrics: the path's template, like `/stocks/{name}`, or "unmatched". */
  readonly route: string;
  readonly access: Access;
  /** Puts a refusal into the words of its dialect. Default: as it is. */
  readonly reword?: Reword | undefined;
  readonly outage: Outage;
  readonly timer: RouteTimer;
}

/** Replies that need no router. */
export interface Shortcut {
  /** Returns what the request asks for, or `undefined` if it needs the router. */
  recognise(request: Request): string | undefined;
  /** `undefined` leaves the request to the router. */
  reply(asked: string): Reply | undefined;
}

const asItIs: Reword = (refusal) => refusal;

export interface FrontDoorOptions {
  readonly admit?: Admission | undefined;
  readonly logger: Logger;
  /** The most requests that may wait for their replies. Default: no limit. */
  readonly requestsMax?: number | undefined;
}

export class FrontDoor {
  readonly #admit: Admission;
  readonly #logger: Logger;
  readonly #log: LogRequest | undefined;
  readonly #requestsMax: number;
  /** The requests whose replies are being made, with their bodies in memory. */
  #underWay = 0;
  /** The request that was admitted ahead of the router: at most one, as Hono calls the handler in the same turn. */
  #admitted: Request | undefined;

  constructor({ admit = admitAll, logger, requestsMax = Number.POSITIVE_INFINITY }: FrontDoorOptions) {
    this.#admit = admit;
    this.#requestsMax = requestsMax;
    this.#logger = logger;
    this.#log = requestLog(logger);
  }

  /** Makes a handler for Hono. */
  handler(passage: Passage, handle: Handle): (context: Context) => Response | Promise<Response> {
    return (context) => {
      const startMs = performance.now();
      const request = context.req.raw;
      const connection = context.env as Connection | undefined;
      const requestId = requestIdOf(request);
      const leave = (reply: Reply) => this.#leave(passage, request, connection, startMs, requestId.text, reply);
      const fail = (thrown: unknown) => leave(this.#replyToError(thrown, passage, requestId.text));
      try {
        const reply =
          this.#enter(passage, request, connection) ?? this.#refusalWhenBusy(passage) ?? handle(context, requestId);
        if (!(reply instanceof Promise)) return leave(reply);
        this.#underWay += 1;
        return reply.then(
          (made) => {
            this.#underWay -= 1;
            return leave(made);
          },
          (thrown: unknown) => {
            this.#underWay -= 1;
            return fail(thrown);
          },
        );
      } catch (thrown) {
        return fail(thrown);
      }
    };
  }

  /** Makes a function to call before Hono. It answers the request, or returns `undefined` to leave it to the router. */
  ahead(
    passage: Passage,
    shortcut: Shortcut,
  ): (request: Request, connection: Connection | undefined) => Response | undefined {
    return (request, connection) => {
      const startMs = performance.now();
      const asked = shortcut.recognise(request);
      if (asked === undefined) return undefined;
      const reply = this.#enter(passage, request, connection) ?? shortcut.reply(asked);
      if (reply !== undefined) {
        return this.#leave(passage, request, connection, startMs, requestIdOf(request).text, reply);
      }
      this.#admitted = request;
      return undefined;
    };
  }

  #enter(
    { access, reword = asItIs }: Passage,
    request: Request,
    connection: Connection | undefined,
  ): Reply | undefined {
    if (this.#admitted !== request) return this.#admit(request, access, connection, reword);
    this.#admitted = undefined;
    return undefined;
  }

  /** A cached lookup passes: it needs no memory. So do open routes, by which others find out how this process is. */
  #refusalWhenBusy({ access, reword = asItIs }: Passage): Reply | undefined {
    return this.#underWay >= this.#requestsMax && access !== "open" ? reword(tooBusy) : undefined;
  }

  #leave(
    { route, timer }: Passage,
    request: Request,
    connection: Connection | undefined,
    startMs: number,
    requestId: string,
    reply: Reply,
  ): Response {
    const { status, headers } = reply;
    timer.observe(status, performance.now() - startMs);
    this.#log?.(request, connection, { route, status, startMs, requestId, headers });
    if (reply instanceof StreamReply) {
      reply.broken = (error) =>
        this.#logger.warn({ requestId, route, err: BazaarError.from(error) }, "reply ended early");
    }
    return reply.toResponse(requestId, connection);
  }

  /** Logs the error and returns the contract's reply, which doesn't reveal the cause. */
  #replyToError(thrown: unknown, { route, outage }: Passage, requestId: string): Reply {
    if (!(thrown instanceof Unanswered)) return this.#failureOf(BazaarError.from(thrown), outage, { requestId, route });
    return this.#failureOf(BazaarError.from(thrown.cause), outage, { requestId, route }).with(thrown.headers);
  }

  #failureOf(error: BazaarError, outage: Outage, about: { requestId: string; route: string }): Failure {
    switch (error.code) {
      case "UNAVAILABLE":
      case "DEPENDENCY_UNAVAILABLE":
      case "NOT_LEADER":
      case "NOT_ACTIVE":
      case "FENCED":
      case "STALE_TERM":
      case "OVERLOADED":
      case "STORAGE_UNAVAILABLE":
      // The catalog has logged it once. Retries fail until a person has decided.
      case "DIVERGED":
        // Expected while a service is away, once for each request; the metrics count them.
        this.#logger.debug({ ...about, err: error }, "request not answered in time");
        return outage.unavailable;
      case "KEY_REUSED":
        return keyReused;
      case "INVALID_STOCKNAME":
      case "INSUFFICIENT_QUANTITY":
      case "INVALID_REQUEST":
      case "INVALID_ORDERNUMBER":
      case "INTERNAL_ERROR":
        this.#logger.error({ ...about, err: error }, "request failed");
        return outage.internal;
    }
  }
}
