/** `npm start`: runs the whole bazaar on this machine until Ctrl-C. */

import { join } from "node:path";
import { requireOneHistory } from "@stock-bazaar/db/recovery/history";
import { replicasNamed } from "@stock-bazaar/db/recovery/replicas-here";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { bunCommand } from "@stock-bazaar/process/bun-command";
import { systemClock } from "@stock-bazaar/shared/clock";
import { type Address, addressText, isLoopback, type ListenAddress, portMax } from "@stock-bazaar/process/addresses";
import { type Config, readConfig } from "@stock-bazaar/process/config";
import { requireGuardedDoor } from "@stock-bazaar/process/door-settings";
import { ConfigError } from "@stock-bazaar/process/environment";
import { catalogProblems, refusing } from "@stock-bazaar/sqlite/database-error";
import { SetupError } from "@stock-bazaar/shared/errors";
import { createLogger, type Logger } from "@stock-bazaar/process/log";
import { createLogOutput } from "@stock-bazaar/process/log-output";
import { type DialectName, lookupPath } from "@stock-bazaar/contract/dialects";
import { faultsVariable } from "@stock-bazaar/process/faults";
import { trustOwnFrontEnds } from "@stock-bazaar/process/https-trust";
import { loadHttps, loadIdentity } from "@stock-bazaar/process/tls-files";
import { portSharedVariable, stopTimeoutMs } from "@stock-bazaar/process/supervised";
import { CommandError, exitCodes } from "../errors.ts";
import { frontEndUrl } from "../front-end.ts";
import { answerFault, catalogService, type FaultySupervisor, replicaService } from "../up/faults.ts";
import { canSharePort, listenForRollingRestarts } from "../up/rolling-restarts.ts";
import { requireFreePorts } from "../up/ports.ts";
import { prepareDatabases, requireCatalogBeside, requireReplicasBeside } from "../up/prepare-databases.ts";
import { askLeader, waitUntilReady } from "../up/readiness.ts";
import { startServiceProcess } from "../up/service-process.ts";
import { nextStopSignal } from "../stopping.ts";
import type { Repair, ServiceSpec } from "../up/supervised-service.ts";
import { Supervisor } from "../up/supervisor.ts";

/** A front-end beside those of `--front-ends`. */
export interface AlsoFrontEnd {
  readonly dialect: DialectName;
  readonly port: number;
}

export interface UpOptions {
  readonly faults?: boolean;
  readonly frontEnds: number;
  readonly dialect?: DialectName;
  readonly also?: readonly AlsoFrontEnd[];
}

/** A start that takes longer than this is logged. */
const slowStartMs = 15_000;

export async function up(options: UpOptions): Promise<void> {
  const { FRONTEND_DIALECT } = process.env;
  const config = readConfig({ ...process.env, FRONTEND_DIALECT: options.dialect ?? FRONTEND_DIALECT });
  requireGuardedDoor(config);
  // Otherwise each service would say the same.
  if (config.tls) loadIdentity(config.tls, Date.now());
  if (config.https) {
    loadHttps(config.https, Date.now());
    trustOwnFrontEnds();
  }
  const frontEnds = plannedFrontEnds(config, options);
  // A setting that suits one dialect, like a long lease, may be wrong for another: checked before anything starts.
  for (const { dialect } of frontEnds) readConfig({ ...process.env, FRONTEND_DIALECT: dialect });
  // Behind a proxy on this machine a front-end listens on a loopback address, and others reach it all the same.
  const faults = options.faults ?? [config.frontEnd, config.listen.frontEnd].every(isLoopback);
  const logger = createLogger("up", config.logLevel);
  const { catalogs, replicas } = config.listen;
  await requireFreePorts([...frontEnds.map(({ listen }) => listen), ...catalogs, ...replicas.values()]);
  await prepare(config, logger);

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
  const control = listenForRollingRestarts(
    supervisor,
    config,
    frontEnds.map(({ name }) => name),
    logger,
  );
  const announced = announce(config, frontEnds, logger, stopping.signal);

  const reason = await Promise.race([
    signalled.then((signal) => ({ signal, helpless: undefined })),
    supervisor.helpless.then((helpless) => ({ signal: undefined, helpless })),
  ]);
  stopping.abort();
  control?.close();
  logger.info({ reason: reason.signal ?? reason.helpless }, "stopping");
  await Promise.all([supervisor.stop(), announced]);
  if (reason.helpless !== undefined) {
    throw new CommandError(`${reason.helpless}\nEverything was stopped.`, exitCodes.usage);
  }
}

/** A SetupError becomes exit code 2: only a person can help, so a supervisor must not simply start `up` again. */
async function prepare(config: Config, logger: Logger): Promise<void> {
  try {
    await refusing(catalogProblems, () => prepareDatabases(config, logger))(undefined);
  } catch (error) {
    if (error instanceof SetupError) throw new CommandError(error.message, exitCodes.usage, { cause: error });
    throw error;
  }
}

interface PlannedFrontEnd {
  readonly name: string;
  /** Where others dial it. */
  readonly address: Address;
  readonly listen: ListenAddress;
  readonly dialect: DialectName;
}

/** The first is on the ports of the environment, the others are on the ports after it. Those of `--also` follow. */
function plannedFrontEnds(config: Config, { frontEnds: count, also = [] }: UpOptions): PlannedFrontEnd[] {
  const { frontEnd, frontEndDialect: dialect, listen } = config;
  const { variables } = listen.frontEnd;
  const last = portMax - count + 1;
  const withCount = `at most ${last} with ${count} front-ends`;
  if (frontEnd.port > last) throw new ConfigError("FRONTEND_PORT", String(frontEnd.port), `must be ${withCount}`);
  if (listen.frontEnd.port > last)
    throw new ConfigError(variables.port, addressText(listen.frontEnd), `must name a port of ${withCount}`);
  return [
    ...Array.from({ length: count }, (_, index) => ({
      name: index === 0 ? "front-end" : `front-end-${index + 1}`,
      address: { host: frontEnd.host, port: frontEnd.port + index },
      listen: {
        host: listen.frontEnd.host,
        port: listen.frontEnd.port + index,
        variables: index === 0 ? variables : { ...variables, port: "--front-ends" },
      },
      dialect,
    })),
    ...also.map(({ dialect: spoken, port }) => ({
      name: `front-end-${spoken}-${port}`,
      address: { host: frontEnd.host, port },
      listen: { host: listen.frontEnd.host, port, variables: { ...variables, port: "--also" } },
      dialect: spoken,
    })),
  ];
}

/** `faulty` returns the supervisor that front-ends may ask for faults; without it they may not. */
function servicesInStopOrder(
  config: Config,
  frontEnds: readonly PlannedFrontEnd[],
  logger: Logger,
  faulty: (() => FaultySupervisor) | undefined,
): ServiceSpec[][] {
  const service = (name: string, workspace: string, more: Partial<ServiceSpec> = {}): ServiceSpec => ({
    name,
    command: bunCommand(join(import.meta.dirname, "..", "..", workspace, "main.ts")),
    environment: {},
    ...more,
  });
  const replicas = replicasNamed(config).map((replica) => {
    // Creates an empty database, which the replica fills from the leader.
    const repair: Repair = {
      isDue: async () => replica.isMissing,
      pauses: [],
      async run() {
        await requireCatalogBeside(replica.file, config);
        await replica.migrate();
      },
    };
    return service(replicaService(replica.id), "order", { environment: { ORDER_ID: String(replica.id) }, repair });
  });
  const repair: Repair = {
    isDue: () => chosenLedgerStore(config).isMissing(),
    // They may still be storing orders of the lost catalog, and hold all acknowledged ones only after they have stopped.
    pauses: replicas.map(({ name }) => name),
    async run() {
      requireReplicasBeside(config);
      await prepareDatabases(config, logger);
    },
  };
  const frontEndServices = frontEnds.map(({ name, address, listen, dialect }) =>
    service(name, "front-end", {
      environment: {
        ...(canSharePort && { [portSharedVariable]: "1" }),
        FRONTEND_PORT: String(address.port),
        // Empty counts as not set, so that errors name the variables that the user knows.
        FRONTEND_LISTEN: addressText(listen) === addressText(address) ? "" : addressText(listen),
        FRONTEND_DIALECT: dialect,
        ...(faulty && { [faultsVariable]: "1" }),
      },
      onMessage: (message, reply) => {
        if (faulty) answerFault(faulty(), message, reply);
      },
    }),
  );
  const { catalogs } = config.listen;
  const catalogServices = catalogs.map((listen, index) =>
    service(catalogService(index + 1), "catalog", {
      repair,
      check: async () => {
        await chosenLedgerStore(config).requireUsable();
        await requireOneHistory(config);
      },
      // One alone listens where the variables of this process say, and its errors name those.
      ...(catalogs.length > 1 && { environment: { CATALOG_LISTEN: addressText(listen) } }),
    }),
  );
  return [frontEndServices, replicas, catalogServices];
}

function describeFrontEnd({ address, dialect }: PlannedFrontEnd, isSecure: boolean): string {
  const url = frontEndUrl(address, isSecure);
  return dialect === "bazaar" ? url : `${url} (${dialect})`;
}

async function announce(
  config: Config,
  frontEnds: readonly PlannedFrontEnd[],
  logger: Logger,
  stopping: AbortSignal,
): Promise<void> {
  const isSecure = config.https !== undefined;
  const url = frontEndUrl(config.frontEnd, isSecure);
  // This machine may not reach itself at the address that others dial, for example that of a reverse proxy.
  const urls = frontEnds.map(({ listen }) => frontEndUrl(listen, isSecure));
  const cancel = systemClock.after(slowStartMs, () => logger.warn({ url }, "still waiting for the services"));
  const ready = await Promise.all(urls.map((each) => waitUntilReady(each, stopping)));
  cancel();
  if (ready.includes(false)) return;
  const leadership = await askLeader(frontEndUrl(config.listen.frontEnd, isSecure), stopping);
  const leader = leadership ? `order replica ${leadership.leader}, term ${leadership.term}` : "not known yet";
  const files = [chosenLedgerStore(config).name, ...replicasNamed(config).map(({ file }) => file)];
  const lines = [
    "",
    "The Stock Bazaar is open.",
    "",
    `  open       ${frontEnds.map((frontEnd) => describeFrontEnd(frontEnd, isSecure)).join("  ")}`,
    `  try        curl ${url}${lookupPath(config.frontEndDialect, "GameStart")}`,
    `  leader     ${leader}`,
    `  databases  ${files.join("  ")}`,
    "",
    "  Ctrl-C stops everything.",
    "",
  ];
  // A full disk must not end a bazaar that has just opened: the log output copes with it.
  if (!stopping.aborted) createLogOutput().write(`${lines.join("\n")}\n`);
}
