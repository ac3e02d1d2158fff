/**
 * Tracing with OpenTelemetry, sent as OTLP over HTTP. Loaded only if traces are on.
 *
 * Trades travel in batches, but each traced trade has its own span at each hop: otherwise its trace would be
 * incomplete. The front-end decides once which requests are traced; the processes behind it follow.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Attributes,
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from "@opentelemetry/api";
import { parseTraceParent } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "./log.ts";
import type { Trace, Tracing } from "./traces.ts";

/** Spans that wait to be sent. More are dropped, because tracing must not delay trading. */
const spansMax = 10_000;
const spansInOneMessageMax = 2000;
const sendEveryMs = 1000;
/** How long a stopping service waits for a receiver that doesn't answer. */
const endTimeoutMs = 1000;
/** Traces of received orders that are not stored yet, and of answered trades whose orders may still be sent on. */
const keptMax = 10_000;

export interface TracingOptions {
  readonly service: string;
  /** The share of requests that are traced, among those whose `traceparent` doesn't decide it. */
  readonly ratio: number;
  readonly logger: Logger;
}

export function createTracing({ service, ratio, logger }: TracingOptions): Tracing {
  const warn = (message: string) => logger.warn({ error: message }, "traces are not sent");
  diag.setLogger({ error: warn, warn, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN);
  const exporter = new OTLPTraceExporter();
  const provider = new TracerProvider({
    // Adds the attributes of OTEL_RESOURCE_ATTRIBUTES; the name is always the process's own.
    resource: defaultResource()
      .merge(detectResources({ detectors: [envDetector] }))
      .merge(resourceFromAttributes({ "service.namespace": "stock-bazaar", "service.name": service })),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: spansMax,
        maxExportBatchSize: spansInOneMessageMax,
        scheduledDelayMillis: sendEveryMs,
      }),
    ],
  });
  const tracer = provider.getTracer("stock-bazaar");
  const requests = new AsyncLocalStorage<SpanContext>();
  /** By the key of each traced trade in this process: the parent of its next spans. */
  const active = new Map<string, SpanContext>();
  const arrivals = new Map<string, SpanContext>();
  /** Of trades that are answered: a leader sends their orders to its followers a moment later. */
  const answered = new Map<string, SpanContext>();
  /** The oldest are dropped. */
  const keep = (kept: Map<string, SpanContext>, key: string, place: SpanContext) => {
    kept.delete(key);
    kept.set(key, place);
    for (const oldest of kept.keys()) {
      if (kept.size <= keptMax) break;
      kept.delete(oldest);
    }
  };

  const startSpan = (name: string, kind: SpanKind, attributes: Attributes, parent: SpanContext | null | undefined) =>
    tracer.startSpan(name, { kind, attributes }, parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT);

  /** Runs `work` while these are the active spans of their trades. */
  const within = async <Result>(spans: ReadonlyMap<string, Span>, work: () => Promise<Result>): Promise<Result> => {
    for (const [key, span] of spans) active.set(key, span.spanContext());
    try {
      return await work();
    } catch (thrown) {
      for (const span of spans.values()) failed(span, thrown);
      throw thrown;
    } finally {
      for (const [key, span] of spans) {
        span.end();
        // The same key may be in flight twice.
        if (active.get(key)?.spanId === span.spanContext().spanId) active.delete(key);
      }
    }
  };

  return {
    async request({ method, route, requestId, headers }, answer) {
      const parent = parseTraceParent(headers.get("traceparent") ?? "");
      const attributes = { "http.request.method": method, "http.route": route, "bazaar.request_id": requestId };
      const span = startSpan(`${method} ${route}`, SpanKind.SERVER, attributes, parent);
      try {
        const reply = await requests.run(span.spanContext(), answer);
        span.setAttribute("http.response.status_code", reply.status);
        return reply;
      } catch (thrown) {
        failed(span, thrown);
        throw thrown;
      } finally {
        span.end();
      }
    },

    trade({ key }, work) {
      const parent = requests.getStore();
      if (!parent || !isSampled(parent)) return work();
      const span = startSpan("place trade", SpanKind.CLIENT, { "bazaar.trade.key": key }, parent);
      return within(new Map([[key, span]]), work);
    },

    batch(name, { traces, count }, work) {
      const attributes = { "bazaar.batch.trades": count };
      const spans = traces.map(({ key, traceparent }): [string, Span] => [
        key,
        startSpan(name, SpanKind.SERVER, attributes, parseTraceParent(traceparent)),
      ]);
      return within(new Map(spans), work).finally(() => {
        for (const [key, span] of spans) keep(answered, key, span.spanContext());
      });
    },

    async store(orders, write) {
      const spans = orders.flatMap(({ key, id }) => {
        const parent = active.get(key) ?? arrivals.get(key);
        if (!parent) return [];
        arrivals.delete(key);
        const attributes = { "bazaar.order.id": id, "bazaar.batch.orders": orders.length };
        return [startSpan("store order", SpanKind.INTERNAL, attributes, parent)];
      });
      try {
        await write();
      } catch (thrown) {
        for (const span of spans) failed(span, thrown);
        throw thrown;
      } finally {
        for (const span of spans) span.end();
      }
    },

    tracesOf(items) {
      const traces: Trace[] = [];
      if (active.size + answered.size === 0) return traces;
      for (const { key } of items) {
        const span = active.get(key) ?? answered.get(key);
        if (span) traces.push({ key, traceparent: traceparentOf(span) });
      }
      return traces;
    },

    arrived(traces) {
      for (const { key, traceparent } of traces) {
        const place = parseTraceParent(traceparent);
        if (place) keep(arrivals, key, place);
      }
    },

    async end() {
      // The log already names a receiver that doesn't answer.
      await Promise.race([provider.shutdown().catch(() => {}), Bun.sleep(endTimeoutMs)]);
    },
  };
}

function failed(span: Span, thrown: unknown): void {
  const { code, message } = BazaarError.from(thrown);
  span.setAttribute("error.type", code);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

function isSampled({ traceFlags }: SpanContext): boolean {
  return (traceFlags & TraceFlags.SAMPLED) !== 0;
}

function traceparentOf({ traceId, spanId }: SpanContext): string {
  return `00-${traceId}-${spanId}-01`;
}
