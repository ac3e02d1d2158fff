/** The dashboard: its page, the events that keep it up to date, and its buttons. */

import type { FaultKind } from "@stock-bazaar/contract/faults";
import { dashboardPage } from "@stock-bazaar/dashboard/page";
import { quotedCommand } from "@stock-bazaar/process/advice";
import type { FaultTarget } from "@stock-bazaar/process/faults";
import type { StocksRequest } from "@stock-bazaar/shared/api";
import type { Context } from "hono";
import type { ZodType } from "zod";
import type { Bazaar, ClusterState } from "../bazaar.ts";
import type { EventFeed } from "../events/event-feed.ts";
import { openEventStream } from "../events/event-stream.ts";
import type { Faults } from "../faults.ts";
import type { Connection } from "../http/connection.ts";
import { activeCatalogOf, leaderOf } from "../http/cluster-view.ts";
import {
  catalogAway,
  catalogFaultOutage,
  dashboardOutage,
  type Failure,
  faultOutage,
  invalidGet,
  leaderAway,
  operationsOutage,
  foreignPage,
  type Outage,
} from "../http/failures.ts";
import { isFromOwnPage } from "../http/own-page.ts";
import { pageHeaderNames, pageHeaders } from "../http/page-headers.ts";
import { json, Reply, StreamReply } from "../http/reply.ts";
import { jsonDocs, type Route } from "../http/route.ts";
import {
  catalogFaultReply,
  eventStocksMax,
  eventStocksQuery,
  faultReply,
  orderNumber,
  stockName,
} from "@stock-bazaar/contract/schemas";

const htmlType = "text/html; charset=utf-8";
const eventsType = "text/event-stream";
/** Without these headers, a proxy could hold events back until its buffer is full, or to compress them. */
const eventsHeaders = { "cache-control": "no-cache, no-transform", "x-accel-buffering": "no" };

export interface DashboardDependencies {
  readonly bazaar: Bazaar;
  readonly events: EventFeed;
  /** If absent, the page has no buttons for faults, and there are no routes for them. */
  readonly faults: Faults | undefined;
}

export function dashboardRoutes({ bazaar, events, faults }: DashboardDependencies): Route[] {
  return [
    {
      method: "GET",
      path: "/",
      access: "open",
      async handle() {
        const { html, contentSecurityPolicy } = await dashboardPage();
        return new Reply(200, htmlType, html, {
          "cache-control": "no-store",
          ...pageHeaders(contentSecurityPolicy),
        });
      },
      outage: dashboardOutage,
      docs: {
        tag: "Operations",
        operationId: "readDashboard",
        alwaysAnswers: true,
        summary: "The dashboard",
        success: {
          description: "The page",
          contentType: htmlType,
          example: "<!doctype html>…",
          headers: ["cache-control", ...pageHeaderNames],
        },
        failures: [],
      },
    },
    {
      method: "GET",
      path: "/events",
      access: "read",
      handle: (context) => streamEvents(context, events),
      outage: operationsOutage,
      docs: {
        tag: "Operations",
        operationId: "listenToEvents",
        alwaysAnswers: true,
        summary: "Follow the bazaar, as server-sent events",
        description:
          "The stream begins with `hello` (may this page kill processes?) and `history` (the traffic of the last minutes). " +
          "These follow on changes, at most five times a second: `cluster` (like `GET /cluster`), `stocks` (the whole " +
          "requested page if `complete`, with `next` if more stocks follow, else only its changed stocks) and `orders` " +
          "(newest first; `skipped` counts the orders left out since the previous event). `sample` follows once a second: " +
          "the orders per second of the whole bazaar, and the latencies of trades and the cache's hit rate of this front-end. " +
          "Stocks and orders are settled before they are sent: no lookup returns an older value afterwards. The id of an " +
          "`orders` event is the number of its newest order, which is valid on every front-end. The reply has no " +
          "`content-length`; it ends when the client disconnects or reads too slowly, or when the front-end stops.",
        parameters: [
          {
            in: "header",
            name: "Last-Event-ID",
            description:
              "The number of the last order that the client received: only later ones are sent, the newest 200 at most",
            schema: orderNumber,
            example: 165,
          },
          {
            in: "query",
            name: "last-event-id",
            description: "The same, for a client that can't set headers; the header takes precedence",
            schema: orderNumber,
            example: 165,
          },
          {
            in: "query",
            name: "limit",
            description: `The largest number of stocks to send: ${eventStocksMax} by default, which is also the maximum`,
            schema: eventStocksQuery.shape.limit,
          },
          {
            in: "query",
            name: "after",
            description: "Only stocks with a greater name: the `next` of the previous page",
            schema: stockName,
          },
          {
            in: "query",
            name: "from",
            description: "Only stocks with this name or a greater one; not together with `after`",
            schema: stockName,
          },
        ],
        success: {
          description: "Events, until the client disconnects",
          contentType: eventsType,
          example:
            'event: orders\nid: 10\ndata: {"skipped":0,"orders":[{"number":10,"name":"GameStart","type":"buy","quantity":1,' +
            '"price":15.99,"created_at":"2026-01-31T12:00:00.000Z"}]}\n\n',
          headers: ["cache-control", "x-accel-buffering"],
        },
        failures: [invalidGet],
      },
    },
    ...(faults === undefined ? [] : faultRoutes(bazaar, faults)),
  ];
}

function streamEvents(context: Context, events: EventFeed): Reply {
  const { limit, after, from } = context.req.query();
  const query = eventStocksQuery.safeParse({ limit, after, from });
  if (!query.success) return invalidGet;
  if (context.req.raw.method === "HEAD") return new StreamReply(eventsType, null, eventsHeaders);
  const given = orderNumber.safeParse(context.req.header("last-event-id") ?? context.req.query("last-event-id"));
  // An invalid id counts as none: a client must not be locked out by an id that it has stored.
  const afterId = given.success ? given.data : undefined;
  const stocks: StocksRequest = {
    start: query.data.from ?? query.data.after ?? "",
    inclusive: query.data.from !== undefined,
    limit: query.data.limit ?? eventStocksMax,
  };
  const connection = context.env as Connection | undefined;
  return new StreamReply(
    eventsType,
    openEventStream(
      (listener) => events.listen(listener, { afterId, stocks }),
      () => connection?.endSoon(context.req.raw),
    ),
    eventsHeaders,
  );
}

/** A process that the page may kill or freeze. */
interface Victim {
  readonly kind: FaultTarget["kind"];
  /** In the paths and operations of its routes. */
  readonly name: string;
  readonly numberOf: (cluster: ClusterState) => number | undefined;
  /** The reply if it doesn't run. */
  readonly away: Failure;
  readonly outage: Outage;
  readonly reply: ZodType;
  readonly description: string;
}

const leader: Victim = {
  kind: "replica",
  name: "leader",
  numberOf: (cluster) => leaderOf(cluster)?.id,
  away: leaderAway,
  outage: faultOutage,
  reply: faultReply,
  description: "",
};

const activeCatalog: Victim = {
  kind: "catalog",
  name: "catalog",
  numberOf: activeCatalogOf,
  away: catalogAway,
  outage: catalogFaultOutage,
  reply: catalogFaultReply,
  description: " Of several catalogs it is the active one.",
};

function faultRoutes(bazaar: Bazaar, faults: Faults): Route[] {
  const route = (victim: Victim, fault: FaultKind, description: string): Route => ({
    method: "POST",
    path: `/faults/${fault}-${victim.name}`,
    access: "admin",
    async handle(context) {
      if (!isFromOwnPage(context.req.raw, faults.host)) return foreignPage;
      const number = victim.numberOf(await bazaar.cluster());
      if (number === undefined || !(await faults.inject(fault, { kind: victim.kind, number }))) return victim.away;
      return json({ data: { fault, [victim.kind]: number } });
    },
    outage: victim.outage,
    docs: {
      tag: "Operations",
      operationId: `${fault}${capitalized(victim.name)}`,
      summary: `${capitalized(fault)} the ${victim.name}`,
      description: `${description}${victim.description} Available only under ${quotedCommand("up")} on a loopback address, and not to other web pages.`,
      success: jsonDocs(`The fault was injected into this ${victim.kind}`, victim.reply, {
        data: { fault, [victim.kind]: 3 },
      }),
      failures: [foreignPage, victim.away],
    },
  });
  return [leader, activeCatalog].flatMap((victim) => [
    route(victim, "kill", "As with `kill -9`; the supervisor restarts it."),
    route(victim, "freeze", "It resumes after ten seconds."),
  ]);
}

function capitalized(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
