/**
 * Puts load on a system: with wrk where it is installed, else with autocannon. Either runs as its own process, on
 * connections that are kept alive, each with one request under way.
 */

import { join } from "node:path";
import { bunCommand } from "@stock-bazaar/process/bun-command";
import { type LoadResult, parseAutocannon, parseWrk } from "./load-output.ts";
import type { LoadTool } from "./names.ts";

/** `mixed`: lookups of each stock, and then a trade of it. */
export type LoadKind = "trades" | "lookups" | "mixed";

/** Of a mixed load: a trade follows one lookup in five, the p = 0.2 of the classic experiment. */
export const lookupsPerTrade = 5;

export interface Load {
  readonly kind: LoadKind;
  readonly connections: number;
  /** Whole seconds. */
  readonly seconds: number;
}

export interface LoadTarget {
  readonly url: string;
  /** The stocks to trade in turn; the first is the one that is looked up. */
  readonly stocks: readonly string[];
}

export interface MeasuredLoad extends LoadResult {
  /** CPU time that the load generator itself took. */
  readonly loadCpuSeconds: number;
}

/** The same as that of a request in the bazaar: what takes longer is an error. */
const timeoutSeconds = 10;

export function findLoadTool(): LoadTool {
  return Bun.which("wrk") === null ? "autocannon" : "wrk";
}

/** Rejects if the tool fails, or when `signal` aborts. */
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
      ...(!isLookup && { BENCH_STOCKS: stocks.join(), BENCH_LOOKUPS: String(lookups) }),
    },
    // Ctrl-C reaches this process only.
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
  // One thread: a request costs it less than any server, so it isn't what ends first, and the cores are for those.
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

/** With its version, where it tells one. */
export function describeLoadTool(tool: LoadTool): string {
  if (tool === "autocannon") return tool;
  // It prints its version, then its usage, and exits with 1.
  const text = Bun.spawnSync(["wrk", "--version"]).stdout.toString();
  const version = /\d+\.\d+\.\d+/.exec(text)?.[0];
  return version === undefined ? "wrk" : `wrk ${version}`;
}
