/** The charts of trades per second, time per trade, and cache hits. */

import { useMemo } from "preact/hooks";
import type { Sample } from "@stock-bazaar/contract/events";
import { Chart } from "./chart.tsx";
import { milliseconds, percent, rate } from "./format.ts";

/** The newest value that isn't null among the last ten: a second without a trade has no latency. */
function newest(values: readonly (number | null)[]): number | null {
  return values.slice(-10).findLast((value) => value !== null) ?? null;
}

export function TrafficCharts({ samples }: { samples: readonly Sample[] }) {
  const { times, orders, p50, p99, hits } = useMemo(
    () => ({
      times: samples.map(({ at }) => Date.parse(at) / 1000),
      orders: samples.map((sample) => sample.orders_per_second),
      p50: samples.map((sample) => sample.p50_ms),
      p99: samples.map((sample) => sample.p99_ms),
      hits: samples.map((sample) => sample.hit_rate),
    }),
    [samples],
  );
  const orderSeries = useMemo(() => [{ label: "trades/s", colour: "--first", values: orders }], [orders]);
  const latencySeries = useMemo(
    () => [
      { label: "p99", colour: "--second", values: p99 },
      { label: "p50", colour: "--first", values: p50 },
    ],
    [p50, p99],
  );
  const hitSeries = useMemo(() => [{ label: "hits", colour: "--third", values: hits }], [hits]);
  return (
    <>
      <Chart
        title="Trades per second"
        value={rate(orders.at(-1))}
        note="whole bazaar"
        times={times}
        series={orderSeries}
        format={rate}
        topMin={5}
      />
      <Chart
        title="Time per trade"
        value={`${milliseconds(newest(p50))} / ${milliseconds(newest(p99))}`}
        note="p50 / p99, this front-end"
        times={times}
        series={latencySeries}
        format={milliseconds}
        topMin={5}
      />
      <Chart
        title="Lookups from the cache"
        value={percent(newest(hits))}
        note="this front-end"
        times={times}
        series={hitSeries}
        format={percent}
        topMin={1}
        top={1}
      />
    </>
  );
}
