/**
 * Traces show where a trade's time goes: HTTP, leader, ledger and every replica's disk in one picture.
 *
 * They are off unless OTEL_EXPORTER_OTLP_ENDPOINT names a receiver. OpenTelemetry is loaded only then; a process
 * without traces pays one branch for a batch, none for a trade.
 *
 * Trades travel in batches, traces don't: a message carries, by key, the place in its trace of each traced trade.
 */

import { ConfigError, type Environment } from "./environment.ts";
import type { Logger } from "./log.ts";
import type { Batch, Keyed, Trace, Tracing } from "./traces.ts";

/** One per process, like its log. */
let current: Tracing | undefined;

/** `undefined` if traces are off. */
export function currentTracing(): Tracing | undefined {
  return current;
}

/** Resolves with `undefined` if the environment doesn't enable traces. Rejects with a ConfigError for a wrong value. */
export async function startTracing(
  service: string,
  environment: Environment,
  logger: Logger,
): Promise<Tracing | undefined> {
  const endpoint = environment.OTEL_EXPORTER_OTLP_ENDPOINT?.trim();
  if (!endpoint) return undefined;
  if (!/^https?:$/.test(URL.parse(endpoint)?.protocol ?? "")) {
    throw new ConfigError("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, "must be a URL like http://127.0.0.1:4318");
  }
  const ratioText = environment.OTEL_TRACES_SAMPLER_ARG?.trim() || "1";
  const ratio = Number(ratioText);
  if (!(ratio >= 0 && ratio <= 1)) {
    throw new ConfigError("OTEL_TRACES_SAMPLER_ARG", ratioText, "must be a number from 0 to 1");
  }
  const { createTracing } = await import("./tracing-otel.ts");
  current = createTracing({ service, ratio, logger });
  return current;
}

export function tracesOf(items: readonly Keyed[]): Trace[] {
  return current === undefined ? [] : current.tracesOf(items);
}

/** Runs the work of a batch from another process in the spans of its trades. */
export function inTraces<Result>(name: string, batch: Batch, work: () => Promise<Result>): Promise<Result> {
  return current === undefined || batch.traces.length === 0 ? work() : current.batch(name, batch, work);
}
