/** The signals that ask a process to end: what was taken in is finished, and it exits with 0. */

import { readFileSync } from "node:fs";

/** SIGHUP, of a terminal that was closed, unless the process was started to outlive that. */
export function stopSignals(): NodeJS.Signals[] {
  return isHangupIgnored() ? ["SIGINT", "SIGTERM"] : ["SIGINT", "SIGTERM", "SIGHUP"];
}

/** `nohup` has the signal ignored, and to listen for it would undo that. */
function isHangupIgnored(): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
    // Bit 0 is signal 1.
    return BigInt(`0x${mask}`) % 2n === 1n;
  } catch {
    // Other systems don't tell. `nohup` never leaves the output to a terminal.
    return !process.stdout.isTTY;
  }
}
