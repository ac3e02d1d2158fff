/**
 * Puts load on a system, with wrk if it is installed, else with autocannon. Both run as a separate process on
 * keep-alive connections, each with one request in flight.
 */

import { join } from "node:path";
import { bunCommand } from "@stock-bazaar/process/bun-command";
import { clientTokenVariable } from "@stock-bazaar/process/client-token";
import { type LoadResult, parseAutocannon, parseWrk } from "./load-output.ts";
import type { LoadTool } from "./names.ts";

/** `mixed` is several lookups of a stock followed by a trade of it. */
export type LoadKind = "trades" | "lookups" | "mixed";

/** In a mixed load a trade follows every fifth lookup: the p = 0.2 of the classic experiment. */
export const lookupsPerTrade = 5;

export interface Load {
  readonly kind: LoadKind;
  readonly connections: number;
  /** Whole seconds. */
  readonly seconds: number;
}

export interface LoadTarget {
  readonly url: string;
  /** The stocks to trade in turn; a load of lookups alone uses the first. */
  readonly stocks: readonly string[];
}

export interface MeasuredLoad extends LoadResult {
  /** CPU time of the load generator. */
  readonly loadCpuSeconds: number;
}

/** The same as the bazaar's own request timeout; a request that takes longer is an error. */
const timeoutSeconds = 10;

export function findLoadTool(): LoadTool {
  return Bun.which("wrk") === null ? "autocannon" : "wrk";
}

/** Rejects if the tool fails or `signal` aborts. */
export async function putLoad(
  tool: LoadTool,
  load: Load,
  { url, stocks }: LoadTarget,
  signal: AbortSignal,
): Promise<MeasuredLoad> {
  signal.throwIfAborted();
  const isLookup = load.kind === "lookups";
  const lookups = load.kind === "mixed" ? lookupsPerTrade : 0;
  const target = isLookup ? `${url}/stocks/${stocks[0] ?? ""}` : url;
  const command =
    tool === "wrk"
      ? wrkCommand(load, target)
      : autocannonCommand(load, target, { stocks: isLookup ? [] : stocks, lookups });
  const child = Bun.spawn(command, {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      // Not an argument: every user of the machine can see those.
      [clientTokenVariable]: process.env[clientTokenVariable],
      ...(!isLookup && { BENCH_STOCKS: stocks.join(), BENCH_LOOKUPS: String(lookups) }),
    },
    // In its own process group, Ctrl-C doesn't reach it: `signal` stops it.
    detached: true,
    signal,
  });
  const [exitCode, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  signal.throwIfAborted();
  if (exitCode !== 0) throw new Error(`${tool} failed with ${exitCode}:\n${stdout}${stderr}`.trim());
  const result = tool === "wrk" ? parseWrk(stdout) : parseAutocannon(stdout);
  return { ...result, loadCpuSeconds: Number(child.resourceUsage()?.cpuTime.total ?? 0n) / 1e6 };
}

function wrkCommand({ connections, seconds }: Load, target: string): string[] {
  // One thread is enough: a request costs wrk less than any server, and the cores are left to the servers.
  const numbers = ["-t1", `-c${connections}`, `-d${seconds}s`, `--timeout=${timeoutSeconds}s`];
  return ["wrk", ...numbers, "-s", join(import.meta.dirname, "wrk.lua"), target];
}

function autocannonCommand(
  { connections, seconds }: Load,
  url: string,
  { stocks, lookups }: { stocks: readonly string[]; lookups: number },
): string[] {
  const load = JSON.stringify({ url, connections, seconds, stocks, lookups });
  return bunCommand(join(import.meta.dirname, "autocannon.ts"), load);
}

/** The tool's name, with its version if it prints one. */
export function describeLoadTool(tool: LoadTool): string {
  if (tool === "autocannon") return tool;
  // wrk prints its version, then its usage, and exits with 1.
  const text = Bun.spawnSync(["wrk", "--version"]).stdout.toString();
  const version = /\d+\.\d+\.\d+/.exec(text)?.[0];
  return version === undefined ? "wrk" : `wrk ${version}`;
}
