/** `npm start`: the whole bazaar on this machine, until Ctrl-C. */

import { join } from "node:path";
import { migrateAll } from "@stock-bazaar/db/migrate";
import { catalogFile, openCatalogDatabase, orderFile } from "@stock-bazaar/db/open";
import { countStocks, seed } from "@stock-bazaar/db/seed";
import { systemClock } from "@stock-bazaar/shared/clock";
import { type Config, readConfig } from "@stock-bazaar/shared/config";
import { createLogger, type Logger } from "@stock-bazaar/shared/log";
import { stopTimeoutMs } from "@stock-bazaar/shared/supervised";
import { Command } from "commander";
import { CommandError, exitCodes } from "../errors.ts";
import { requireFreePorts } from "../ports.ts";
import { askLeader, frontEndUrl, waitUntilReady } from "../readiness.ts";
import { startServiceProcess } from "../service-process.ts";
import { nextStopSignal } from "../stop-signal.ts";
import { type ServiceSpec, Supervisor } from "../supervisor.ts";

/** A start that takes longer than this is worth a line in the log. */
const slowStartMs = 15_000;

export function upCommand(): Command {
  return new Command("up")
    .description("migrate, seed an empty catalog, and run all services until Ctrl-C")
    .action(() => up(readConfig(process.env)));
}

async function up(config: Config): Promise<void> {
  const logger = createLogger("up", config.logLevel);
  await requireFreePorts(config);
  prepareDatabases(config, logger);

  const supervisor = new Supervisor({
    stages: servicesInStopOrder(config),
    startProcess: startServiceProcess,
    stopTimeoutMs: stopTimeoutMs(config),
    clock: systemClock,
    logger,
  });
  const stopping = new AbortController();
  const signalled = nextStopSignal();
  supervisor.start();
  const announced = announce(config, logger, stopping.signal);

  const reason = await Promise.race([signalled, supervisor.misconfigured.then((service) => ({ service }))]);
  stopping.abort();
  logger.info({ reason: typeof reason === "string" ? reason : `${reason.service} is misconfigured` }, "stopping");
  await Promise.all([supervisor.stop(), announced]);
  if (typeof reason !== "string") {
    throw new CommandError(
      `${reason.service} can't run with this configuration: everything was stopped`,
      exitCodes.usage,
    );
  }
}

function prepareDatabases(config: Config, logger: Logger): void {
  for (const { file, migrations } of migrateAll(config)) {
    if (migrations > 0) logger.info({ file, migrations }, "migrated");
  }
  const catalog = openCatalogDatabase(config.dataDir);
  try {
    if (countStocks(catalog) === 0) logger.info(seed(catalog), "seeded the empty catalog");
  } finally {
    catalog.close();
  }
}

function servicesInStopOrder(config: Config): ServiceSpec[][] {
  const service = (name: string, workspace: string, environment: Record<string, string> = {}): ServiceSpec => ({
    name,
    command: [process.execPath, join(import.meta.dirname, "..", "..", workspace, "main.ts")],
    environment,
  });
  const replicas = [...config.replicas.keys()];
  return [
    [service("front-end", "front-end")],
    replicas.map((id) => service(`order-${id}`, "order", { ORDER_ID: String(id) })),
    [service("catalog", "catalog")],
  ];
}

async function announce(config: Config, logger: Logger, stopping: AbortSignal): Promise<void> {
  const url = frontEndUrl(config.frontEnd);
  const cancel = systemClock.after(slowStartMs, () => logger.warn({ url }, "still waiting for the services"));
  const isReady = await waitUntilReady(url, stopping);
  cancel();
  if (!isReady) return;
  const leadership = await askLeader(url, stopping);
  const leader = leadership ? `order replica ${leadership.leader}, term ${leadership.term}` : "not known yet";
  const files = [
    catalogFile(config.dataDir),
    ...[...config.replicas.keys()].map((id) => orderFile(config.dataDir, id)),
  ];
  const lines = [
    "",
    "The Stock Bazaar is open.",
    "",
    `  open       ${url}`,
    `  try        curl ${url}/stocks/GameStart`,
    `  leader     ${leader}`,
    `  databases  ${files.join("  ")}`,
    "",
    "  Ctrl-C stops everything.",
    "",
  ];
  if (!stopping.aborted) process.stdout.write(`${lines.join("\n")}\n`);
}
