/**
 * One JSON line on standard output for each event that matters; lines for people when a person watches.
 * Synchronous: the last line before a crash is the one that is needed.
 */

import { createRequire } from "node:module";
import pino from "pino";
import type { LogLevel } from "./config.ts";

/** Writes one event: what happened, in a few words, and its figures. */
export type Logger = Pick<pino.Logger, "debug" | "info" | "warn" | "error" | "fatal" | "isLevelEnabled">;

/** `service` names the process in every line: `catalog`, `order-2`, `front-end`. */
export function createLogger(service: string, level: LogLevel): Logger {
  const options: pino.LoggerOptions = { level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime };
  if (!process.stdout.isTTY) return pino(options, pino.destination({ fd: 1, sync: true }));
  // Loaded here: most processes have nobody to watch them.
  const pretty = createRequire(import.meta.url)("pino-pretty") as typeof import("pino-pretty");
  return pino(
    options,
    pretty({
      sync: true,
      translateTime: "SYS:HH:MM:ss.l",
      ignore: "service",
      messageFormat: `${service}: {msg}`,
      singleLine: true,
    }),
  );
}

/** For tests, and for parts that have nothing to say. */
export const silentLogger: Logger = pino({ level: "silent" });
