/**
 * Starts the compared systems as real processes on free ports, with new databases that are removed afterwards.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addressVariables, choosePorts, listeners, replicaName } from "@stock-bazaar/cluster/addresses";
import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { migrateAll } from "@stock-bazaar/db/migrate";
import { defaultStocksFile, seed } from "@stock-bazaar/db/seed";
import { parseStocks } from "@stock-bazaar/db/stock-file";
import { descendantsOf } from "@stock-bazaar/report/process-cpu";
import { clientTokenVariable, tokenFileVariables } from "@stock-bazaar/process/client-token";
import { readConfig } from "@stock-bazaar/process/config";
import { runtimeSettings } from "@stock-bazaar/process/runtime-settings";
import { type LedgerServer, startLedgerServer } from "./embedded-postgres.ts";
import type { LoadTarget } from "./load.ts";
import { type ProcessSpec, replicaIds, type Role, type SpecifiedRole, type SystemSpec } from "./systems.ts";

export interface SystemProcess {
  readonly role: Role;
  readonly pid: number;
}

export interface RunningSystem extends LoadTarget {
  readonly name: string;
  /** The processes that run now and whose CPU time is counted. */
  processes(): SystemProcess[];
  readonly dataDir: string;
  /** `undefined` if the ledger is a file in `dataDir`. */
  readonly ledgerUrl: string | undefined;
  /** Stops every service after its requests in flight; keeps the databases and their server. */
  stop(): Promise<void>;
  /** Stops the processes that still run and removes the databases. */
  dispose(): Promise<void>;
}

const stopTimeoutMs = 10_000;
/** Time between two looks at a system that stops: the trades in flight when a load ends are over within it. */
const evenPollMs = 200;
const logLinesShown = 20;

interface Started {
  readonly spec: ProcessSpec;
  readonly service: Service;
}

/** Resolves when the system is ready for load. */
export async function startSystem(system: SystemSpec, signal: AbortSignal): Promise<RunningSystem> {
  const { name, leaderId, evenAt } = system;
  const dataDir = mkdtempSync(join(tmpdir(), "stock-bazaar-bench-"));
  const started: Started[] = [];
  let server: LedgerServer | undefined;

  const stop = async () => {
    for (const { service } of started.toReversed()) await stopInTime(service);
  };
  const dispose = async () => {
    await stop();
    await server?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };

  try {
    const ports = await choosePorts(replicaIds.length, 1);
    const frontEndPort = ports.frontEnds.get(1) ?? 0;
    if (system.hasPostgres) server = await startLedgerServer(dataDir);
    const environment = {
      ...process.env,
      ...tokenFileVariables(process.env),
      [clientTokenVariable]: undefined,
      FRONTEND_HOST: "127.0.0.1",
      FRONTEND_PORT: String(frontEndPort),
      CATALOG_HOST: "127.0.0.1",
      ...addressVariables(replicaIds, (listener) => listeners(ports).get(listener) ?? 0),
      DATA_DIR: dataDir,
      LEDGER_URL: server?.url,
      LOG_LEVEL: "info",
    };
    if (!system.createsDatabases) await createDatabases(environment);
    for (const spec of system.processes) {
      const service = createService(spec, system, environment);
      service.start();
      started.push({ spec, service });
    }
    const scheme = system.obeysHttps && process.env.FRONTEND_TLS_CERT !== undefined ? "https" : "http";
    const url = `${scheme}://127.0.0.1:${frontEndPort}`;
    await untilReady(system, url, started, signal);
    const leader = replicaName(await leaderId(url));
    return {
      name,
      url,
      stocks: stockNames(),
      processes: () => [
        ...started.flatMap((process) => countedProcesses(process, leader)),
        ...(server ? [server.pid, ...descendantsOf(server.pid)] : []).map((pid) => ({ pid, role: "catalog" as const })),
      ],
      dataDir,
      ledgerUrl: server?.url,
      async stop() {
        let before: number | undefined;
        const isEven = async () => {
          const [last, now] = [before, await evenAt(url)];
          before = now;
          return now !== undefined && now === last;
        };
        await eventually(`every replica of ${name} holds every order`, isEven, { signal, pollMs: evenPollMs });
        await stop();
      },
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function createService(spec: ProcessSpec, { checkout }: SystemSpec, environment: Environment): Service {
  const [script, ...args] = spec.command;
  const own = { ...environment, ...spec.environment };
  return new Service(spec.name, `apps/${script}`, {
    args,
    ...(checkout === undefined
      ? { environment: own }
      : { environment: { ...own, ...withoutRuntimeSettings }, checkout }),
  });
}

/** The supervisor of another checkout has settings of its own for its services. A user's setting stays. */
const withoutRuntimeSettings: Environment = Object.fromEntries(
  Object.keys(runtimeSettings).map((variable) => [variable, process.env[variable]]),
);

type Environment = Readonly<Record<string, string | undefined>>;

async function untilReady(
  { name, isReady }: SystemSpec,
  url: string,
  started: readonly Started[],
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const isUp = async () => {
    const dead = started.find(({ service }) => !service.isRunning);
    if (!dead) return isReady(url);
    // Its last lines arrive a little later than its end.
    await dead.service.ended();
    failed.abort(new Error(`${name}: ${dead.spec.name} must stay running (it ended)`));
    return false;
  };
  await eventually(`${name} is ready`, isUp, { signal: AbortSignal.any([signal, failed.signal]) }).catch(
    (error: unknown) => {
      signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      throw new Error([message, ...started.map(({ service }) => lastLines(service))].join("\n"), { cause: error });
    },
  );
}

function countedProcesses({ spec, service: { pid } }: Started, leader: string): SystemProcess[] {
  if (pid === undefined) return [];
  const { name, role, roleOfChild } = spec;
  const counted = (id: number, of: { name: string; role: SpecifiedRole } | undefined) =>
    of ? [{ pid: id, role: roleOf(of, leader) }] : [];
  const children = roleOfChild ? descendantsOf(pid).flatMap((child) => counted(child, roleOfChild(child))) : [];
  return [...counted(pid, role && { name, role }), ...children];
}

function roleOf({ name, role }: { name: string; role: SpecifiedRole }, leader: string): Role {
  if (role !== "replica") return role;
  return name === leader ? "leader" : "followers";
}

async function stopInTime(service: Service): Promise<void> {
  const late = setTimeout(() => void service.kill(), stopTimeoutMs);
  try {
    await service.stop();
  } finally {
    clearTimeout(late);
  }
}

async function createDatabases(environment: Environment): Promise<void> {
  const config = readConfig(environment);
  await migrateAll(config);
  await seed(config);
}

function stockNames(): string[] {
  return parseStocks(readFileSync(defaultStocksFile), defaultStocksFile).map(({ name }) => name);
}

function lastLines({ name, lines }: Service): string {
  return `--- ${name}\n${lines.slice(-logLinesShown).join("\n")}`;
}
