/**
 * The log: one JSON line on standard output for each event, or a readable line if that is a terminal.
 *
 * It is synchronous, because the last line before a crash is the one that is needed.
 */

import { createRequire } from "node:module";
import pino from "pino";
import type { LogLevel } from "./config.ts";
import { createLogOutput } from "./log-output.ts";

/** Writes one event: what happened, in a few words, and its figures. */
export type Logger = Pick<pino.Logger, "debug" | "info" | "warn" | "error" | "fatal" | "isLevelEnabled">;

/** `service` names the process in every line: `catalog`, `order-2`, `front-end`. */
export function createLogger(service: string, level: LogLevel): Logger {
  const options: pino.LoggerOptions = { level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime };
  const output = createLogOutput();
  if (!process.stdout.isTTY) return pino(options, output);
  // Loaded only here: most processes don't write to a terminal.
  const { prettyFactory } = createRequire(import.meta.url)("pino-pretty") as typeof import("pino-pretty");
  const pretty = prettyFactory({
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "service",
    messageFormat: `${service}: {msg}`,
    singleLine: true,
  });
  return pino(options, { write: (line) => output.write(pretty(line)) });
}

/** Logs nothing: for parts without a log. */
export const silentLogger: Logger = pino({ level: "silent" });
