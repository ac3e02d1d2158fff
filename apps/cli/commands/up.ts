/** `npm start`: the whole bazaar on this machine, until Ctrl-C. */

import { join } from "node:path";
import { isCatalogMissing, isMissing, requireOneHistory } from "@stock-bazaar/db/history";
import { migrateFile } from "@stock-bazaar/db/migrations";
import { catalogFile, orderFile } from "@stock-bazaar/db/open";
import { bunCommand } from "@stock-bazaar/shared/bun-command";
import { systemClock } from "@stock-bazaar/shared/clock";
import { type Address, type Config, ConfigError, readConfig } from "@stock-bazaar/shared/config";
import { SetupError } from "@stock-bazaar/shared/errors";
import { createLogger, type Logger } from "@stock-bazaar/shared/log";
import { createLogOutput } from "@stock-bazaar/shared/log-output";
import { faultsVariable } from "@stock-bazaar/shared/faults";
import { stopTimeoutMs } from "@stock-bazaar/shared/supervised";
import type { UpOptions } from "../definitions/databases.ts";
import { CommandError, exitCodes } from "../errors.ts";
import { answerFault, type FaultySupervisor, replicaService } from "../faults.ts";
import { isLoopback, requireFreePorts } from "../ports.ts";
import { prepareDatabases, requireOthers } from "../prepare-databases.ts";
import { askLeader, frontEndUrl, waitUntilReady } from "../readiness.ts";
import { startServiceProcess } from "../service-process.ts";
import { nextStopSignal } from "../stop-signal.ts";
import { type Repair, type ServiceSpec, Supervisor } from "../supervisor.ts";

/** A start that takes longer than this is worth a line in the log. */
const slowStartMs = 15_000;
const portMax = 65_535;

export async function up(options: UpOptions): Promise<void> {
  const config = readConfig(process.env);
  const frontEnds = frontEndAddresses(config, options.frontEnds);
  const faults = options.faults ?? isLoopback(config.frontEnd);
  const logger = createLogger("up", config.logLevel);
  await requireFreePorts(frontEnds, config);
  prepare(config, logger);

  const supervisor: Supervisor = new Supervisor({
    stages: servicesInStopOrder(config, frontEnds, logger, faults ? () => supervisor : undefined),
    startProcess: startServiceProcess,
    stopTimeoutMs: stopTimeoutMs(config),
    clock: systemClock,
    logger,
  });
  const stopping = new AbortController();
  const signalled = nextStopSignal();
  supervisor.start();
  const announced = announce(config, frontEnds, logger, stopping.signal);

  const reason = await Promise.race([
    signalled.then((signal) => ({ signal, helpless: undefined })),
    supervisor.helpless.then((helpless) => ({ signal: undefined, helpless })),
  ]);
  stopping.abort();
  logger.info({ reason: reason.signal ?? reason.helpless }, "stopping");
  await Promise.all([supervisor.stop(), announced]);
  if (reason.helpless !== undefined) {
    throw new CommandError(`${reason.helpless}\nEverything was stopped.`, exitCodes.usage);
  }
}

/** What a failure of this needs is a person: whoever started `up` shouldn't simply do it again. */
function prepare(config: Config, logger: Logger): void {
  try {
    prepareDatabases(config, logger);
  } catch (error) {
    if (error instanceof SetupError) throw new CommandError(error.message, exitCodes.usage, { cause: error });
    throw error;
  }
}

/** The first is on the port of the environment, each of the others on the next one. */
function frontEndAddresses({ frontEnd: { host, port } }: Config, count: number): Address[] {
  if (port + count - 1 > portMax) {
    const allowed = `with ${count} front-ends allowed is at most ${portMax - count + 1}`;
    throw new ConfigError("FRONTEND_PORT", String(port), allowed);
  }
  return Array.from({ length: count }, (_, index) => ({ host, port: port + index }));
}

/** `faulty`: whom a front-end may ask for faults. */
function servicesInStopOrder(
  config: Config,
  frontEnds: readonly Address[],
  logger: Logger,
  faulty: (() => FaultySupervisor) | undefined,
): ServiceSpec[][] {
  const { dataDir } = config;
  const service = (name: string, workspace: string, more: Partial<ServiceSpec> = {}): ServiceSpec => ({
    name,
    command: bunCommand(join(import.meta.dirname, "..", "..", workspace, "main.ts")),
    environment: {},
    ...more,
  });
  const replicas = [...config.replicas.keys()].map((id) => {
    const file = orderFile(dataDir, id);
    // An empty one, which its replica fills from the leader.
    const repair: Repair = {
      isDue: () => isMissing(file),
      pauses: [],
      run() {
        requireOthers(file, [catalogFile(dataDir)]);
        migrateFile(file, "orders");
      },
    };
    return service(replicaService(id), "order", { environment: { ORDER_ID: String(id) }, repair });
  });
  const repair: Repair = {
    isDue: () => isCatalogMissing(dataDir),
    // They may be storing what the lost catalog has still decided: only at rest do they hold all that anybody was told.
    pauses: replicas.map(({ name }) => name),
    run() {
      requireOthers(catalogFile(dataDir), replicaFiles(config));
      prepareDatabases(config, logger);
    },
  };
  const frontEndServices = frontEnds.map(({ port }, index) =>
    service(index === 0 ? "front-end" : `front-end-${index + 1}`, "front-end", {
      environment: { FRONTEND_PORT: String(port), ...(faulty && { [faultsVariable]: "1" }) },
      ...(faulty && { hears: (message, reply) => answerFault(faulty(), message, reply) }),
    }),
  );
  return [
    frontEndServices,
    replicas,
    [service("catalog", "catalog", { repair, check: () => requireOneHistory(config) })],
  ];
}

function replicaFiles({ dataDir, replicas }: Config): string[] {
  return [...replicas.keys()].map((id) => orderFile(dataDir, id));
}

async function announce(
  config: Config,
  frontEnds: readonly Address[],
  logger: Logger,
  stopping: AbortSignal,
): Promise<void> {
  const urls = frontEnds.map(frontEndUrl);
  const url = frontEndUrl(config.frontEnd);
  const cancel = systemClock.after(slowStartMs, () => logger.warn({ url }, "still waiting for the services"));
  const ready = await Promise.all(urls.map((each) => waitUntilReady(each, stopping)));
  cancel();
  if (ready.includes(false)) return;
  const leadership = await askLeader(url, stopping);
  const leader = leadership ? `order replica ${leadership.leader}, term ${leadership.term}` : "not known yet";
  const files = [catalogFile(config.dataDir), ...replicaFiles(config)];
  const lines = [
    "",
    "The Stock Bazaar is open.",
    "",
    `  open       ${urls.join("  ")}`,
    `  try        curl ${url}/stocks/GameStart`,
    `  leader     ${leader}`,
    `  databases  ${files.join("  ")}`,
    "",
    "  Ctrl-C stops everything.",
    "",
  ];
  // A disk that is full is no reason to end what has just opened.
  if (!stopping.aborted) createLogOutput().write(`${lines.join("\n")}\n`);
}
