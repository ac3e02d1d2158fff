import { describe, expect, test } from "vitest";
import { silentLogger } from "./log.ts";
import { currentTracing, inTraces, startTracing, tracesOf } from "./tracing.ts";

const start = (environment: Record<string, string>) => startTracing("test", environment, silentLogger);

describe("without OTEL_EXPORTER_OTLP_ENDPOINT", () => {
  test.each([{}, { OTEL_EXPORTER_OTLP_ENDPOINT: "" }, { OTEL_EXPORTER_OTLP_ENDPOINT: " " }])(
    "%o: traces are off",
    async (environment) => {
      expect(await start(environment)).toBeUndefined();
      expect(currentTracing()).toBeUndefined();
      expect(tracesOf([{ key: "k" }])).toEqual([]);
      const traces = [{ key: "k", traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01` }];
      expect(await inTraces("a batch", { traces, count: 1 }, async () => "done")).toBe("done");
    },
  );

  test("nothing of OpenTelemetry is loaded", async () => {
    const script = `
      const { startTracing } = await import("./tracing.ts");
      await startTracing("test", process.env, undefined);
      process.stdout.write(String(Object.keys(require.cache).filter((file) => file.includes("opentelemetry")).length));
    `;
    const loaded = (environment: Record<string, string>) => {
      const { stdout } = Bun.spawnSync([process.execPath, "-e", script], {
        cwd: import.meta.dirname,
        env: environment,
      });
      return Number(stdout.toString());
    };
    expect(loaded({})).toBe(0);
    expect(loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" })).toBeGreaterThan(0);
  });
});

test.each([
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "a URL like http://127.0.0.1:4318"],
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense", "a URL like http://127.0.0.1:4318"],
  ["OTEL_TRACES_SAMPLER_ARG", "2", "a number from 0 to 1"],
  ["OTEL_TRACES_SAMPLER_ARG", "half", "a number from 0 to 1"],
])("%s=%s is refused, with what is allowed", async (variable, value, allowed) => {
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318", [variable]: value };
  await expect(start(environment)).rejects.toThrow(`${variable} must be ${allowed} (got "${value}")`);
});
