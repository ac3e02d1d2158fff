/** The signals that ask a process to end: it finishes the work that it has accepted and exits with 0. */

import { readFileSync } from "node:fs";

/** Includes SIGHUP (the terminal was closed, or a file changed that the process can reload), unless the process was started to survive it. */
export function stopSignals(): NodeJS.Signals[] {
  return isHangupIgnored() ? ["SIGINT", "SIGTERM"] : ["SIGINT", "SIGTERM", "SIGHUP"];
}

/** `nohup` makes the process ignore SIGHUP; a listener would undo that. */
function isHangupIgnored(): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
    // Bit 0 is signal 1.
    return BigInt(`0x${mask}`) % 2n === 1n;
  } catch {
    // Other systems don't report it. `nohup` always redirects the output away from a terminal.
    return !process.stdout.isTTY;
  }
}
