/** Identifies the current start of this machine: a restart of the machine changes it, a restart of a process doesn't. */

import { readFileSync } from "node:fs";

/** Returns a random id that the kernel draws when it starts; "" where there is none (Linux only). */
export function currentBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}
