/**
 * A service that a supervisor has started doesn't outlive it: an orphan would hold its port and its database, and the
 * next start would fail on both. The supervisor holds the other end of the service's standard input, which the kernel
 * closes however it dies, `kill -9` included; there is nothing to poll and no process id that could be used again.
 */

import type { Config } from "./config.ts";

/**
 * Set by a supervisor that keeps standard input open for as long as it lives: what it calls the process. Of several
 * front-ends each has a name there, which none of them could know by itself.
 */
export const supervisedVariable = "BAZAAR_SUPERVISED";

/** On top of the requests that a front-end has taken in and finishes. */
const stopGraceMs = 3000;

/** How long a service may take to stop before it is killed. */
export function stopTimeoutMs(config: Pick<Config, "requestTimeoutMs">): number {
  return config.requestTimeoutMs + stopGraceMs;
}

/**
 * Calls `stop` once when the supervisor is gone; a process that has not ended `timeoutMs` later is ended. No effect in a
 * process that was started by hand.
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
  // Listening alone must not keep a service alive that has nothing left to do.
  process.stdin.unref();
}
