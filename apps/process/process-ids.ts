/** Tells which processes this one can know by their ids. */

import { readlinkSync } from "node:fs";
import { currentBootId } from "./boot-id.ts";

/**
 * Names all processes that have their ids from the same count: a container counts its own, and so does each machine since its
 * last start. "" where there is no such name (Linux only).
 */
export function processIdSpace(): string {
  const bootId = currentBootId();
  if (bootId === "") return "";
  try {
    const [namespace = ""] = /\d+/.exec(readlinkSync("/proc/self/ns/pid")) ?? [];
    return `${bootId.slice(0, 8)}-${namespace}`;
  } catch {
    return "";
  }
}
