/**
 * Starts the compared systems as real processes on free ports, with new databases that are removed afterwards. Only one
 * runs at a time, so that none takes CPU time from another.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addressVariables, choosePorts, listeners } from "@stock-bazaar/cluster/addresses";
import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { migrateAll } from "@stock-bazaar/db/migrate";
import { defaultStocksFile, seed } from "@stock-bazaar/db/seed";
import { parseStocks } from "@stock-bazaar/db/stock-file";
import { descendantsOf } from "@stock-bazaar/report/process-cpu";
import { readConfig } from "@stock-bazaar/process/config";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { askClusterState } from "./cluster-state.ts";
import type { LoadTarget } from "./load.ts";
import type { SystemName } from "./names.ts";

export type Role = "front-end" | "leader" | "followers" | "catalog";

export interface SystemProcess {
  readonly role: Role;
  readonly pid: number;
}

export interface RunningSystem extends LoadTarget {
  /** The processes that run now. */
  processes(): SystemProcess[];
  readonly dataDir: string;
  /** Stops every process after its requests in flight; keeps the databases. */
  stop(): Promise<void>;
  /** Stops the processes that still run and removes the databases. */
  dispose(): Promise<void>;
}

export const replicaIds = [1, 2, 3] as const;
/** The leader in systems that don't choose one. */
const fixedLeaderId = Math.max(...replicaIds);
const stopTimeoutMs = 10_000;
const logLinesShown = 20;

interface ProcessSpec {
  readonly name: string;
  /** A replica's final role depends on which one leads. */
  readonly role: "front-end" | "catalog" | "replica";
  /** The role of the processes that it starts itself. */
  readonly descendants?: Role;
  /** Relative to apps/. */
  readonly command: readonly [script: string, ...args: string[]];
  readonly environment?: Readonly<Record<string, string>>;
}

interface SystemSpec {
  /** In start order; they stop in reverse order. */
  readonly processes: readonly ProcessSpec[];
  readonly isReady: (url: string) => Promise<boolean>;
  /** The id of the leader; 0 if there is none. */
  readonly leaderId: (url: string) => Promise<number>;
  /** Whether every replica holds every order; checked before the stop. */
  readonly isEven: (url: string) => Promise<boolean>;
}

const replicas = replicaIds.map((id) => {
  return { id, name: `order-${id}`, role: "replica", environment: { ORDER_ID: String(id) } } as const;
});

const systems: Record<SystemName, SystemSpec> = {
  service: {
    processes: [
      { name: "catalog", role: "catalog", command: ["catalog/main.ts"] },
      ...replicas.map((replica): ProcessSpec => ({ ...replica, command: ["order/main.ts"] })),
      { name: "front-end", role: "front-end", command: ["front-end/main.ts"] },
    ],
    isReady: async (url) => {
      const { leader, liveFollowers } = await askClusterState(url);
      return leader > 0 && liveFollowers === replicaIds.length - 1 && (await answers(`${url}/readyz`, 200));
    },
    leaderId: async (url) => (await askClusterState(url)).leader,
    isEven: async (url) => (await askClusterState(url)).isEven,
  },
  yardstick: {
    processes: [{ name: "yardstick", role: "front-end", command: ["bench/yardstick.ts"] }],
    isReady: (url) => answers(`${url}/stocks/GameStart`, 200),
    leaderId: async () => 0,
    isEven: async () => true,
  },
  naive: fiveProcesses("bench/naive.ts"),
  floor: fiveProcesses("bench/floor.ts"),
  postgres: {
    processes: [{ name: "postgres", role: "front-end", descendants: "catalog", command: ["bench/postgres.ts"] }],
    isReady: (url) => answers(`${url}/stocks/GameStart`, 200),
    leaderId: async () => 0,
    isEven: async () => true,
  },
};

/** A system of the same processes as the service, one script that takes the role as its argument. */
function fiveProcesses(script: string): SystemSpec {
  const command = (role: string) => [script, role] as const;
  return {
    processes: [
      { name: "catalog", role: "catalog", command: command("catalog") },
      ...replicas.map((replica): ProcessSpec => {
        return { ...replica, command: command(replica.id === fixedLeaderId ? "leader" : "follower") };
      }),
      { name: "front-end", role: "front-end", command: command("front-end") },
    ],
    // Its front-end listens only once everything behind it does.
    isReady: (url) => answers(url, 404),
    leaderId: async () => fixedLeaderId,
    isEven: async () => true,
  };
}

/** Resolves when the system is ready for load. */
export async function startSystem(name: SystemName, signal: AbortSignal): Promise<RunningSystem> {
  const { processes, isReady, leaderId, isEven } = systems[name];
  const dataDir = mkdtempSync(join(tmpdir(), `stock-bazaar-bench-${name}-`));
  const started: { spec: ProcessSpec; service: Service }[] = [];

  const stop = async () => {
    for (const { service } of started.toReversed()) await stopInTime(service);
  };
  const dispose = async () => {
    await stop();
    rmSync(dataDir, { recursive: true, force: true });
  };

  try {
    const ports = await choosePorts(replicaIds.length, 1);
    const frontEndPort = ports.frontEnds.get(1) ?? 0;
    const environment = {
      ...process.env,
      FRONTEND_HOST: "127.0.0.1",
      FRONTEND_PORT: String(frontEndPort),
      CATALOG_HOST: "127.0.0.1",
      ...addressVariables(replicaIds, (listener) => listeners(ports).get(listener) ?? 0),
      DATA_DIR: dataDir,
      LOG_LEVEL: "info",
    };
    await createDatabases(environment);
    for (const spec of processes) {
      const [script, ...args] = spec.command;
      const own = { environment: { ...environment, ...spec.environment }, args };
      const service = new Service(spec.name, `apps/${script}`, own);
      service.start();
      started.push({ spec, service });
    }
    const url = `http://127.0.0.1:${frontEndPort}`;
    const isUp = async () => {
      const dead = started.find(({ service }) => !service.isRunning);
      if (dead) throw new Error(`${name}: ${dead.spec.name} must stay running (it exited)`);
      return isReady(url);
    };
    await eventually(`${name} is ready`, isUp, { signal }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${started.map(({ service }) => lastLines(service)).join("\n")}`, {
        cause: error,
      });
    });
    const leader = `order-${await leaderId(url)}`;
    return {
      url,
      stocks: stockNames(),
      processes: () =>
        started.flatMap(({ spec, service: { pid } }) => {
          if (pid === undefined) return [];
          const { descendants } = spec;
          const own = descendants ? descendantsOf(pid).map((child) => ({ role: descendants, pid: child })) : [];
          return [{ role: roleOf(spec, leader), pid }, ...own];
        }),
      dataDir,
      async stop() {
        await eventually(`every replica of ${name} holds every order`, () => isEven(url), { signal });
        await stop();
      },
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function stopInTime(service: Service): Promise<void> {
  const late = setTimeout(() => void service.kill(), stopTimeoutMs);
  try {
    await service.stop();
  } finally {
    clearTimeout(late);
  }
}

function roleOf({ name, role }: ProcessSpec, leader: string): Role {
  if (role !== "replica") return role;
  return name === leader ? "leader" : "followers";
}

async function createDatabases(environment: Readonly<Record<string, string | undefined>>): Promise<void> {
  const config = readConfig(environment);
  await migrateAll(config);
  await seed(config);
}

function stockNames(): string[] {
  return parseStocks(readFileSync(defaultStocksFile), defaultStocksFile).map(({ name }) => name);
}

async function answers(url: string, status: number): Promise<boolean> {
  const response = await fetchDirectly(url, { signal: AbortSignal.timeout(2000) });
  await response.body?.cancel();
  return response.status === status;
}

function lastLines({ name, lines }: Service): string {
  return `--- ${name}\n${lines.slice(-logLinesShown).join("\n")}`;
}
