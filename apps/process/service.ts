/**
 * How every service begins and ends: the environment is read once, a wrong value or a missing database is
 * one clear line, SIGTERM, SIGINT and SIGHUP finish what was taken in and exit with 0, and an error that nobody
 * expected ends the process at once, because what it left half done is mended by starting again.
 */

import { type Config, readConfig } from "./config.ts";
import { BazaarError, exitSetup, SetupError } from "@stock-bazaar/shared/errors";
import { whenInvariantBreaks } from "@stock-bazaar/shared/invariant";
import { createLogger, type Logger } from "./log.ts";
import { stopSignals } from "./stop-signals.ts";
import { exitWithSupervisor, stopTimeoutMs, supervisedVariable } from "./supervised.ts";
import type { Tracing } from "./traces.ts";
import { startTracing } from "./tracing.ts";

const exitFailed = 1;

export interface ServiceContext {
  /** As in the log. */
  readonly name: string;
  readonly config: Config;
  readonly logger: Logger;
  /** Aborts when the process has been asked to stop: a start that waits must not hold it up. */
  readonly stopping: AbortSignal;
  /** Ends the process: for a disk that fails, or a database that is gone. */
  readonly fatal: (error: unknown) => void;
}

/**
 * `name` stands in logs and traces, unless a supervisor calls it otherwise. `start` resolves when the service serves; what
 * it returns stops it, finishing what it has taken in.
 */
export async function runService(
  name: string | ((config: Config) => string),
  start: (context: ServiceContext) => Promise<() => Promise<void>>,
): Promise<void> {
  let config: Config;
  let service: string;
  let logger: Logger;
  let tracing: Tracing | undefined;
  try {
    config = readConfig(process.env);
    const ownName = typeof name === "string" ? name : name(config);
    service = process.env[supervisedVariable] || ownName;
    logger = createLogger(service, config.logLevel);
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
  const starting = start({ name: service, config, logger, stopping: stopping.signal, fatal });
  const end = (signal: string) => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    logger.info({ signal }, "stopping");
    starting
      .then(
        (stop) => stop(),
        () => {}, // A start that was given up has nothing to stop.
      )
      .then(() => tracing?.end())
      .then(() => {
        logger.info("stopped");
        process.exit(0);
      }, fatal);
  };
  for (const signal of stopSignals()) process.on(signal, () => end(signal));
  exitWithSupervisor(() => end("supervisor gone"), stopTimeoutMs(config));

  try {
    await starting;
  } catch (error) {
    if (!stopping.signal.aborted) refuse(error);
  }
}

/** People read this, not programs: one line, no stack. */
function refuse(error: unknown): never {
  process.stderr.write(`${BazaarError.from(error).message}\n`);
  process.exit(error instanceof SetupError ? exitSetup : exitFailed);
}
