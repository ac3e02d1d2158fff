/**
 * Ends a service when its supervisor is gone: an orphan would hold its port and its database, and the next start would
 * fail on both.
 *
 * The supervisor holds the other end of the service's standard input. The kernel closes it however the supervisor dies,
 * `kill -9` included, so there is nothing to poll and no process id that could be reused.
 */

import type { Config } from "./config.ts";

/**
 * Set by a supervisor that keeps standard input open for its lifetime. The value is the name of the process: with
 * several front-ends, only the supervisor can give each a different one.
 */
export const supervisedVariable = "BAZAAR_SUPERVISED";

/** Set to "1" for a front-end that other processes of its supervisor may share their port with, while one follows another. */
export const portSharedVariable = "BAZAAR_PORT_SHARED";

/** Set to "1" for a front-end that follows a running one: it must be ready before it listens on the shared port. */
export const successorVariable = "BAZAAR_SUCCESSOR";

/** What a front-end sends to its supervisor when it serves. */
const servingMessage = { serving: true } as const;

/** Tells the supervisor that this process serves, if there is a channel to one. */
export function reportServing({ send }: { readonly send?: ((message: object) => unknown) | undefined }): void {
  send?.(servingMessage);
}

export function isServingMessage(message: unknown): boolean {
  return typeof message === "object" && message !== null && "serving" in message && message.serving === true;
}

/** Added to the time that a front-end needs to finish its accepted requests. */
const stopGraceMs = 3000;

/** How long a service may take to stop before it is killed. */
export function stopTimeoutMs(config: Pick<Config, "drainMs" | "requestTimeoutMs">): number {
  return config.drainMs + config.requestTimeoutMs + stopGraceMs;
}

/**
 * Calls `stop` once when the supervisor is gone, and ends the process `timeoutMs` later if it still runs. Has no effect
 * in a process that was started by hand.
 */
export function exitWithSupervisor(stop: () => void, timeoutMs: number): void {
  if (!process.env[supervisedVariable]) return;
  let isGone = false;
  const gone = () => {
    if (isGone) return;
    isGone = true;
    setTimeout(() => process.exit(1), timeoutMs).unref();
    stop();
  };
  process.stdin.on("end", gone).on("close", gone).on("error", gone);
  process.stdin.resume();
  // This listener alone must not keep a process alive that has nothing left to do.
  process.stdin.unref();
}
