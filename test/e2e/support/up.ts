/**
 * `npm start` for one test or several. Its processes and files are removed afterwards. With BAZAAR_TEST_LEDGER=postgres its
 * ledger is on PostgreSQL.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, freePortsInARow } from "@stock-bazaar/cluster/ports";
import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { afterAll, afterEach, beforeAll } from "vitest";
import { takeLedger, type TestedLedger } from "../../support/tested-ledger.ts";
import type { TestHooks } from "./cluster.ts";

export interface Up {
  readonly service: Service;
  readonly url: string;
  /** The URLs of all front-ends; the first is `url`. */
  readonly urls: readonly string[];
  readonly ports: readonly number[];
  readonly dataDir: string;
  /** The newest process id of every child. */
  readonly children: () => Map<string, number>;
}

export interface UpOptions {
  readonly frontEnds?: number;
  /** The address on which the front-ends listen. */
  readonly host?: string;
  /** Where they listen; default: `host`. */
  readonly listenHost?: string;
  readonly args?: readonly string[];
  /** The folder in which `up` is called; by default the top of the workspace. */
  readonly cwd?: string;
  /** Variables besides the addresses and the data folder. */
  readonly environment?: Readonly<Record<string, string>>;
}

export async function startUp(context: TestHooks, options: UpOptions = {}): Promise<Up> {
  const ledger = await takeLedger();
  const up = await createUp(ledger, options);
  context.onTestFailed(() => printLog(up));
  context.onTestFinished(() => dispose(up).then(ledger.giveBack));
  await start(up);
  return up;
}

/** Starts one bazaar for all tests of a `describe`. */
export function shareUp(use: (up: Up) => void): void {
  let up: Up;
  let ledger: TestedLedger;
  beforeAll(async () => {
    ledger = await takeLedger();
    up = await createUp(ledger);
    use(up);
    await start(up);
  });
  afterEach(({ task }) => {
    if (task.result?.state === "fail") printLog(up);
  });
  afterAll(() => dispose(up).then(ledger.giveBack));
}

async function createUp(
  ledger: TestedLedger,
  { frontEnds = 1, host = "127.0.0.1", listenHost, args = [], cwd, environment = {} }: UpOptions = {},
): Promise<Up> {
  const dataDir = mkdtempSync(join(tmpdir(), "stock-bazaar-"));
  const frontEndPorts = await freePortsInARow(frontEnds);
  const others = await freePorts(4);
  const [catalog, ...replicas] = others;
  const service = new Service("up", "apps/cli/main.ts", {
    ...(cwd !== undefined && { cwd }),
    args: ["up", "--front-ends", String(frontEnds), ...args],
    environment: {
      DATA_DIR: dataDir,
      FRONTEND_HOST: host,
      FRONTEND_PORT: String(frontEndPorts[0]),
      ...(listenHost !== undefined && { FRONTEND_LISTEN: `${listenHost}:${frontEndPorts[0]}` }),
      CATALOG_PORT: String(catalog),
      ORDER_REPLICAS: replicas.map((port, index) => `${index + 1}=127.0.0.1:${port}`).join(),
      LOG_LEVEL: "debug",
      ...ledger.environment,
      ...environment,
    },
  });
  const children = () => {
    const pids = new Map<string, number>();
    for (const line of service.lines) {
      const match = /"child":"([^"]+)","pid":(\d+),"msg":"started"/.exec(line);
      if (match?.[1]) pids.set(match[1], Number(match[2]));
    }
    return pids;
  };
  const urls = frontEndPorts.map((port) => `http://127.0.0.1:${port}`);
  return { service, url: urls[0] ?? "", urls, ports: [...frontEndPorts, ...others], children, dataDir };
}

async function start({ service }: Up): Promise<void> {
  service.start();
  await eventually("the bazaar is open", () => service.lines.some((line) => line.includes("is open")));
}

function printLog({ service }: Up): void {
  process.stderr.write(`${service.lines.slice(-60).join("\n")}\n`);
}

async function dispose({ service, children, dataDir }: Up): Promise<void> {
  if (service.isRunning) await service.kill();
  for (const pid of children().values()) if (isAlive(pid)) process.kill(pid, "SIGKILL");
  rmSync(dataDir, { recursive: true, force: true });
}

/** Whether the process runs. A zombie doesn't. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, "utf8"));
}
