/** The dashboard: its page, the events that keep it up to date, and its buttons. */

import type { FaultKind } from "@stock-bazaar/contract/faults";
import { dashboardPage } from "@stock-bazaar/dashboard/page";
import { quotedCommand } from "@stock-bazaar/process/advice";
import type { StocksRequest } from "@stock-bazaar/shared/api";
import type { Context } from "hono";
import type { Bazaar } from "../bazaar.ts";
import type { EventFeed } from "../events/event-feed.ts";
import { openEventStream } from "../events/event-stream.ts";
import type { Faults } from "../faults.ts";
import { leaderOf } from "../http/cluster-view.ts";
import {
  dashboardOutage,
  faultOutage,
  invalidGet,
  nobodyLeads,
  operationsOutage,
  strangePage,
} from "../http/failures.ts";
import { isFromOwnPage } from "../http/own-page.ts";
import { json, Reply, StreamReply } from "../http/reply.ts";
import { jsonDocs, type Route } from "../http/route.ts";
import { eventStocksMax, eventStocksQuery, faultReply, orderNumber, stockName } from "@stock-bazaar/contract/schemas";

const htmlType = "text/html; charset=utf-8";
const eventsType = "text/event-stream";
/** A proxy that keeps events until it has a bufferful, or until it can pack them, would show what was, much later. */
const eventsHeaders = { "cache-control": "no-cache, no-transform", "x-accel-buffering": "no" };

export interface DashboardDependencies {
  readonly bazaar: Bazaar;
  readonly events: EventFeed;
  /** Absent: there are no buttons, and no routes for them. */
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
          "content-security-policy": contentSecurityPolicy,
          "referrer-policy": "no-referrer",
          "x-content-type-options": "nosniff",
        });
      },
      outage: dashboardOutage,
      docs: {
        tag: "Operations",
        operationId: "readDashboard",
        alwaysAnswers: true,
        summary: "The dashboard",
        success: {
          description: "A page for people",
          contentType: htmlType,
          example: "<!doctype html>…",
          headers: ["cache-control", "content-security-policy", "referrer-policy", "x-content-type-options"],
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
        summary: "What happens, as server-sent events",
        description:
          "First `hello` (may this page kill the leader?) and `history` (the traffic of the last minutes). Then, when they " +
          "change and five times a second at most: `cluster` (like `GET /cluster`), `stocks` (of the page that is asked for: the " +
          "whole page if `complete`, with `next` if there are stocks after it, else those of it that changed), `orders` (newest first; `skipped` is how many were left out since the event before), " +
          "and once a second `sample`: orders per second of the whole bazaar, latencies of trades and the cache's hit " +
          "rate of this front-end. Stocks and orders are settled when they are told: no lookup anywhere answers with " +
          "what was before. The id of an `orders` event is its newest order's number, good on every front-end. A reply " +
          "without `content-length`: it ends when the client does, or reads too slowly, or the front-end stops.",
        parameters: [
          {
            in: "header",
            name: "Last-Event-ID",
            description: "The last order that the client was told of: only later ones come, 200 of them at most",
            schema: orderNumber,
            example: 165,
          },
          {
            in: "query",
            name: "last-event-id",
            description: "The same, for a client that can't set headers; the header comes first",
            schema: orderNumber,
            example: 165,
          },
          {
            in: "query",
            name: "limit",
            description: `The stocks to tell of, at most this many: ${eventStocksMax} if absent, and never more`,
            schema: eventStocksQuery.shape.limit,
          },
          {
            in: "query",
            name: "after",
            description: "Only stocks with a greater name: the `next` of another page",
            schema: stockName,
          },
          {
            in: "query",
            name: "from",
            description: "Only stocks with this name or a greater one; not beside `after`",
            schema: stockName,
          },
        ],
        success: {
          description: "Events, as long as the client listens",
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
  // What was never an id of ours is as good as none: a client must not be locked out by what it remembers.
  const afterId = given.success ? given.data : undefined;
  const stocks: StocksRequest = {
    start: query.data.from ?? query.data.after ?? "",
    inclusive: query.data.from !== undefined,
    limit: query.data.limit ?? eventStocksMax,
  };
  return new StreamReply(
    eventsType,
    openEventStream((listener) => events.listen(listener, { afterId, stocks })),
    eventsHeaders,
  );
}

function faultRoutes(bazaar: Bazaar, faults: Faults): Route[] {
  const route = (path: string, fault: FaultKind, summary: string, description: string): Route => ({
    method: "POST",
    path,
    access: "admin",
    async handle(context) {
      if (!isFromOwnPage(context.req.raw.headers, faults.host)) return strangePage;
      const leader = leaderOf(await bazaar.cluster());
      if (leader === undefined || !(await faults.inject(fault, leader.id))) return nobodyLeads;
      return json({ data: { fault, replica: leader.id } });
    },
    outage: faultOutage,
    docs: {
      tag: "Operations",
      operationId: `${fault}Leader`,
      summary,
      description,
      success: jsonDocs("It was done, to this replica", faultReply, { data: { fault, replica: 3 } }),
      failures: [strangePage, nobodyLeads],
    },
  });
  const only = `Only there under ${quotedCommand("up")} on a loopback address, and not for other web pages.`;
  return [
    route("/faults/kill-leader", "kill", "Kill the leader", `As with \`kill -9\`; it is started again. ${only}`),
    route("/faults/freeze-leader", "freeze", "Freeze the leader", `It goes on after ten seconds. ${only}`),
  ];
}
