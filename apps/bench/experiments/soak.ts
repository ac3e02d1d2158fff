/**
 * Does memory grow with the work done? Lookups and trades without a pause, and the memory of each process meanwhile.
 */

import { Cluster } from "@stock-bazaar/cluster/cluster";
import { lookupsPerTrade, putLoad } from "../load.ts";
import type { LoadTool } from "../names.ts";
import { memoryMibOf } from "./memory.ts";

export interface SoakOptions {
  readonly connections: number;
  readonly minutes: number;
  readonly tool: LoadTool;
}

export interface SoakResult {
  readonly minutes: number;
  readonly trades: number;
  readonly lookups: number;
  readonly errors: number;
  /** For each process, its memory after every minute. */
  readonly memoryMib: Readonly<Record<string, readonly number[]>>;
}

export async function measureSoak(
  { connections, minutes, tool }: SoakOptions,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<SoakResult> {
  const cluster = await Cluster.create();
  try {
    await cluster.startInOrder();
    const target = { url: cluster.url, stocks: [...cluster.initialQuantities.keys()] };
    const memoryMib: Record<string, number[]> = {};
    let [answered, errors] = [0, 0];
    for (let minute = 1; minute <= minutes; minute += 1) {
      const load = await putLoad(tool, { kind: "mixed", connections, seconds: 60 }, target, signal);
      answered += load.ok;
      errors += load.errors;
      for (const { name, pid } of cluster.services) {
        const mib = pid === undefined ? undefined : memoryMibOf(pid);
        if (mib !== undefined) (memoryMib[name] ??= []).push(mib);
      }
      progress(`minute ${minute} of ${minutes}: ${Math.round(load.requestsPerSecond)} requests/s`);
    }
    const trades = Math.round(answered / (lookupsPerTrade + 1));
    return { minutes, trades, lookups: answered - trades, errors, memoryMib };
  } finally {
    await cluster.dispose();
  }
}
