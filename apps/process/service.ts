/**
 * How every service starts and stops.
 *
 * The environment is read once. A wrong value or a missing database ends the process with one clear line. On SIGTERM,
 * SIGINT and SIGHUP a service finishes the requests that it has accepted and exits with 0. A service that can reload a
 * file does so on SIGHUP instead. An unexpected error ends the process at once: a restart repairs what it left half done.
 */

import { type Config, readConfig } from "./config.ts";
import { BazaarError, exitSetup, SetupError } from "@stock-bazaar/shared/errors";
import { systemClock } from "@stock-bazaar/shared/clock";
import { whenInvariantBreaks } from "@stock-bazaar/shared/invariant";
import { LiveIdentity } from "./live-identity.ts";
import { createLogger, type Logger } from "./log.ts";
import { stopSignals } from "./stop-signals.ts";
import { exitWithSupervisor, stopTimeoutMs, supervisedVariable } from "./supervised.ts";
import type { Tracing } from "./traces.ts";
import { startTracing } from "./tracing.ts";

const exitFailed = 1;

export interface ServiceContext {
  /** The name in the log. */
  readonly name: string;
  readonly config: Config;
  readonly logger: Logger;
  /** How this service proves to others who it is; `undefined` without TLS. */
  readonly identity: LiveIdentity | undefined;
  /** Aborts when the process is asked to stop. A start that waits must end then. */
  readonly stopping: AbortSignal;
  /** From then on SIGHUP calls `reload` instead of stopping the process. */
  readonly onHangup: (reload: () => void) => void;
  /** Ends the process, for example when a disk fails or a database is gone. */
  readonly fatal: (error: unknown) => void;
}

/**
 * Runs a service until it is stopped.
 *
 * `name` appears in logs and traces, unless the supervisor gives another one. `start` resolves when the service serves,
 * with a function that finishes the accepted requests and stops it.
 */
export async function runService(
  name: string | ((config: Config) => string),
  start: (context: ServiceContext) => Promise<() => Promise<void>>,
): Promise<void> {
  let config: Config;
  let service: string;
  let logger: Logger;
  let identity: LiveIdentity | undefined;
  let tracing: Tracing | undefined;
  try {
    config = readConfig(process.env);
    const ownName = typeof name === "string" ? name : name(config);
    service = process.env[supervisedVariable] || ownName;
    logger = createLogger(service, config.logLevel);
    identity = config.tls && new LiveIdentity(config.tls, { clock: systemClock, logger });
    tracing = await startTracing(service, process.env, logger);
  } catch (error) {
    refuse(error);
  }

  const fatal = (error: unknown) => {
    try {
      const { code, message, stack } = BazaarError.from(error);
      logger.fatal({ code, stack }, message);
    } finally {
      process.exit(exitFailed);
    }
  };
  process.on("uncaughtException", fatal);
  process.on("unhandledRejection", fatal);
  whenInvariantBreaks(fatal);

  const stopping = new AbortController();
  let reload: (() => void) | undefined;
  const onHangup = (action: () => void) => void (reload = action);
  const starting = start({ name: service, config, logger, identity, stopping: stopping.signal, onHangup, fatal });
  const end = (signal: string) => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    logger.info({ signal }, "stopping");
    starting
      .then(
        (stop) => stop(),
        () => {}, // An aborted start has nothing to stop.
      )
      .then(() => tracing?.end())
      .then(() => {
        logger.info("stopped");
        process.exit(0);
      }, fatal);
  };
  for (const signal of stopSignals()) {
    process.on(signal, () => (signal === "SIGHUP" && reload !== undefined ? reload() : end(signal)));
  }
  exitWithSupervisor(() => end("supervisor gone"), stopTimeoutMs(config));

  try {
    await starting;
  } catch (error) {
    if (!stopping.signal.aborted) refuse(error);
  }
}

/** Ends the process with one line and no stack: people read it, not programs. */
function refuse(error: unknown): never {
  process.stderr.write(`${BazaarError.from(error).message}\n`);
  process.exit(error instanceof SetupError ? exitSetup : exitFailed);
}
