/**
 * The load generator where wrk isn't installed. It is a separate process, so that its CPU time can be separated from
 * the benchmark's. `bun apps/bench/autocannon.ts <load as JSON>` prints one line of JSON.
 *
 * autocannon reports latencies in whole milliseconds, which is too coarse here, so this keeps the time of each reply.
 */

import { clientTokenHeaders } from "@stock-bazaar/process/client-token";
import { percentile } from "@stock-bazaar/report/statistics";
import autocannon from "autocannon";

const load = JSON.parse(process.argv[2] ?? "{}") as {
  url: string;
  connections: number;
  seconds: number;
  stocks: string[];
  /** Lookups before each trade. */
  lookups: number;
};

const headers = clientTokenHeaders();
const requests: autocannon.Request[] = ["sell", "buy"].flatMap((type) =>
  load.stocks.flatMap((name) => [
    ...Array.from({ length: load.lookups }, () => ({ method: "GET" as const, path: `/stocks/${name}`, headers })),
    {
      method: "POST" as const,
      path: "/orders",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ name, quantity: 1, type }),
    },
  ]),
);

const latenciesMs: number[] = [];
const running = autocannon(
  {
    url: load.url,
    connections: load.connections,
    duration: load.seconds,
    headers,
    ...(requests.length > 0 && { requests }),
  },
  (error: Error | null, result) => {
    if (error) throw error;
    latenciesMs.sort((a, b) => a - b);
    const line = {
      ok: result["2xx"],
      non2xx: result.non2xx,
      errors: result.errors,
      duration: result.duration,
      p50Ms: percentile(latenciesMs, 50),
      p99Ms: percentile(latenciesMs, 99),
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  },
);
running.on("response", (_client, _statusCode, _bytes, responseMs) => latenciesMs.push(responseMs));
