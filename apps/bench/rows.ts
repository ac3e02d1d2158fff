/** The rows of a benchmark's tables: which load is put on each system. */

import { type Load, lookupsPerTrade } from "./load.ts";
import { type RowKind, rowKinds, type SystemName } from "./names.ts";

export interface RowSpec {
  readonly what: string;
  readonly kind: Load["kind"];
  readonly connections: number;
}

export interface RowOptions {
  /** One row of trades for each of these; the rows of lookups use the first. */
  readonly connections: readonly number[];
  readonly rows: readonly RowKind[];
}

const warmUpConnectionsMin = 64;

export function rowSpecs({ rows, connections }: RowOptions): RowSpec[] {
  const specs: Record<RowKind, RowSpec[]> = {
    trades: connections.map((count) => ({ what: `trades, ${count} connections`, kind: "trades", connections: count })),
    single: [{ what: "one client, one trade at a time", kind: "trades", connections: 1 }],
    lookups: connections
      .slice(0, 1)
      .map((count) => ({ what: `cached lookups, ${count} connections`, kind: "lookups", connections: count })),
    mixed: connections.slice(0, 1).map((count) => ({
      what: `${lookupsPerTrade} lookups to a trade, ${count} connections`,
      kind: "mixed",
      connections: count,
    })),
  };
  return rowKinds.filter((kind) => rows.includes(kind)).flatMap((kind) => specs[kind]);
}

/** Whether it promises that no trade is lost. */
export function isService(name: SystemName): boolean {
  return name === "service" || name === "service-postgres";
}

/** The naive system has no lookups. */
export function isMeasured(name: SystemName, { kind }: RowSpec): boolean {
  return kind === "trades" || name !== "naive";
}

/** The load before a measurement: enough to get all code compiled, even before one with a single client. */
export function warmUpOf({ kind, connections }: RowSpec, seconds: number): Load {
  return { kind, connections: Math.max(connections, warmUpConnectionsMin), seconds };
}

/** The rate of the lookups in a mixed load of this many requests per second. */
export function lookupsOf(mixedPerSecond: number): number {
  return (mixedPerSecond * lookupsPerTrade) / (lookupsPerTrade + 1);
}
