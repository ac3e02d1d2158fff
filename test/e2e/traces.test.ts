/** Traces that real processes send to a receiver: each trade's trace is complete, from HTTP to every replica's disk. */

import { randomBytes } from "node:crypto";
import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { at } from "@stock-bazaar/shared/json";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";
import { type ReceivedSpan, startTraceReceiver, type TraceReceiver } from "./support/trace-receiver.ts";

interface Caller {
  readonly traceId: string;
  readonly spanId: string;
}

const newCaller = (): Caller => ({ traceId: randomBytes(16).toString("hex"), spanId: randomBytes(8).toString("hex") });

function receive(): TraceReceiver {
  const receiver = startTraceReceiver();
  onTestFinished(() => receiver.stop());
  return receiver;
}

function trade(
  url: string,
  { traceId, spanId }: Caller,
  more: { flags?: string; key?: string } = {},
): Promise<Response> {
  const { flags = "01", key = Bun.randomUUIDv7() } = more;
  return fetchDirectly(`${url}/orders`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "idempotency-key": key,
      traceparent: `00-${traceId}-${spanId}-${flags}`,
    },
    body: JSON.stringify({ name: "GameStart", quantity: 1, type: "sell" }),
  });
}

/** Draws a trace as a tree with a line `service: span` for each span, indented below its parent. */
function draw(spans: readonly ReceivedSpan[], parentId: string, depth = 0): string[] {
  return spans
    .filter((span) => span.parentSpanId === parentId)
    .map((span) => ({
      title: `${"  ".repeat(depth)}${span.service}: ${span.name}`,
      below: draw(spans, span.spanId, depth + 1),
    }))
    .sort((a, b) => a.title.localeCompare(b.title))
    .flatMap(({ title, below }) => [title, ...below]);
}

const wholeTrace = [
  "front-end-1: POST /orders",
  "  front-end-1: place trade",
  "    leader: Orders/PlaceTrades",
  "      catalog: Catalog/Apply",
  "      order-1: store order",
  "      order-2: store order",
  "      order-3: store order",
];

/**
 * Waits until the caller's trace is complete, and returns its spans. Repeated spans count once: on a busy machine a trade may
 * be sent again, or another replica may lead.
 */
function whole(receiver: TraceReceiver, { traceId, spanId }: Caller): Promise<ReceivedSpan[]> {
  return eventually(`the whole trace ${traceId}`, () => {
    const spans = receiver.spansOf(traceId);
    const lines = draw(spans, spanId).map((line) => line.replace(/order-\d: Orders/, "leader: Orders"));
    expect([...new Set(lines)].sort()).toEqual(wholeTrace.toSorted());
    return spans;
  });
}

describe("of one bazaar", () => {
  const receiver = startTraceReceiver();
  afterAll(() => receiver.stop());
  let cluster: Cluster;
  Cluster.share((shared) => (cluster = shared), {
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, REQUEST_TIMEOUT_MS: "4000" },
  });

  test("one trade has spans of HTTP, leader, ledger and every replica's disk, below the caller's span", async () => {
    const caller = newCaller();
    const response = await trade(cluster.url, caller, { key: "k" });
    expect(response.status).toBe(200);
    const number = at(await response.json(), "data", "transaction_number");
    const spans = await whole(receiver, caller);

    const attributes = (name: string) => spans.find((span) => span.name === name)?.attributes;
    expect(attributes("POST /orders")).toMatchObject({
      "http.request.method": "POST",
      "http.route": "/orders",
      "http.response.status_code": 200,
      "bazaar.request_id": response.headers.get("x-request-id"),
    });
    expect(attributes("place trade")).toEqual({ "bazaar.trade.key": "k" });
    expect(attributes("store order")).toMatchObject({ "bazaar.order.id": number });
  });

  test("of many trades at once every trace is complete, though they share batches", async () => {
    const callers = Array.from({ length: 100 }, newCaller);
    const responses = await Promise.all(callers.map((caller) => trade(cluster.url, caller)));
    expect(responses.filter(({ status }) => status !== 200)).toEqual([]);
    for (const caller of callers) await whole(receiver, caller);
    const batches = receiver.spans.map(({ attributes }) => Number(attributes["bazaar.batch.trades"] ?? 0));
    expect(Math.max(...batches)).toBeGreaterThan(1);
  });

  test("a trade without an answer in time is marked as failed, with the reason", async () => {
    await cluster.service("catalog").kill();
    const caller = newCaller();
    expect((await trade(cluster.url, caller)).status).toBe(503);
    for (const name of ["POST /orders", "place trade"]) {
      const failed = await eventually(`the span ${name}`, () =>
        receiver.spansOf(caller.traceId).find((span) => span.service === "front-end-1" && span.name === name),
      );
      expect(failed).toMatchObject({ status: 2, attributes: { "error.type": "UNAVAILABLE" } });
    }
    cluster.service("catalog").start();
    await cluster.settled();
  });
});

test("with a sampling share of 0, only requests that their caller traces are traced", async (context) => {
  const receiver = receive();
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_TRACES_SAMPLER_ARG: "0" };
  const cluster = await Cluster.start(context, { environment });
  const unsampled = newCaller();
  expect((await trade(cluster.url, unsampled, { flags: "00" })).status).toBe(200);
  expect((await fetchDirectly(`${cluster.url}/stocks`)).status).toBe(200);
  const traced = newCaller();
  expect((await trade(cluster.url, traced)).status).toBe(200);
  await whole(receiver, traced);
  expect(new Set(receiver.spans.map(({ traceId }) => traceId))).toEqual(new Set([traced.traceId]));
});

test("an unreachable receiver delays nothing, and a service sends its waiting spans when it ends", async (context) => {
  const receiver = receive();
  const cluster = await Cluster.start(context, { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" } });
  expect((await trade(cluster.url, newCaller())).status).toBe(200);
  expect(await cluster.service("front-end-1").stop()).toEqual({ code: 0, signal: null });
  await expectInvariants(cluster);

  const alone = new Service("front-end-1", "apps/front-end/main.ts", {
    environment: {
      ...cluster.environment,
      FRONTEND_PORT: new URL(cluster.url).port,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    },
  });
  alone.start();
  context.onTestFinished(async () => {
    if (alone.isRunning) await alone.kill();
  });
  await eventually("it listens", async () => (await fetchDirectly(`${cluster.url}/healthz`)).status === 200);
  expect(await alone.stop()).toEqual({ code: 0, signal: null });
  expect(receiver.spans.map(({ name }) => name)).toContain("GET /healthz");
});
