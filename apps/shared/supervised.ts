/**
 * A service that a supervisor has started doesn't outlive it: an orphan would hold its port and its database, and the
 * next start would fail on both. The supervisor holds the other end of the service's standard input, which the kernel
 * closes however it dies, `kill -9` included; there is nothing to poll and no process id that could be used again.
 */

/** Set by a supervisor that keeps standard input open for as long as it lives. */
export const supervisedVariable = "BAZAAR_SUPERVISED";

/** The same time that the supervisor gives a service to stop before it kills it. */
const stopTimeoutMs = 10_000;

/**
 * Calls `stop` once when the supervisor is gone; a process that has not ended 10 s later is ended. No effect in a
 * process that was started by hand.
 */
export function exitWithSupervisor(stop: () => void): void {
  if (!process.env[supervisedVariable]) return;
  let isGone = false;
  const gone = () => {
    if (isGone) return;
    isGone = true;
    setTimeout(() => process.exit(1), stopTimeoutMs).unref();
    stop();
  };
  process.stdin.on("end", gone).on("close", gone).on("error", gone);
  process.stdin.resume();
  // Listening alone must not keep a service alive that has nothing left to do.
  process.stdin.unref();
}
