/**
 * Stops accepting connections before the process runs out of file descriptors.
 *
 * Without this, the kernel refuses every further descriptor at the limit. Bun then tries to accept the waiting connection
 * again and again, which takes a whole core, clients wait without an error, and the service can't connect to others. A
 * closed port is refused at once instead, and clients or load balancers go elsewhere.
 */

import { closeSync, openSync, readFileSync } from "node:fs";
import { devNull } from "node:os";
import { type Clock, every } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "./log.ts";

/** How often the free descriptors are counted. */
const lookMs = 200;
/** Descriptors that no client gets: for connections to other services, databases and files. */
export const reservedDescriptors = 32;
/** The port opens again when this many are free, so that it doesn't open and close with each client. */
const reopenedDescriptors = 2 * reservedDescriptors;

/** The port of a service. */
export interface Door {
  /** Accepts no more connections. Those that are open may go on. */
  shut(): void;
  /** Accepts connections again. May throw or reject: it is then called again later. */
  open(): void | Promise<void>;
}

export interface DescriptorWatch {
  readonly clock: Clock;
  readonly logger: Pick<Logger, "info" | "warn">;
  /** Whether this many more descriptors can be opened. */
  readonly areFree?: (count: number) => boolean;
}

/** Shuts the door while file descriptors are short, and logs that once. Returns a function that ends the watch. */
export function watchDescriptors(
  door: Door,
  { clock, logger, areFree = areDescriptorsFree }: DescriptorWatch,
): () => void {
  // Read now: later there may be no descriptor to read it with.
  const limit = descriptorLimit();
  let isShut = false;
  let failure: string | undefined;
  return every(clock, lookMs, async () => {
    if (!isShut) {
      if (areFree(reservedDescriptors)) return;
      isShut = true;
      door.shut();
      logger.warn(
        { limit, reserved: reservedDescriptors },
        "file descriptors run out: new connections are refused until others are closed. Raise `ulimit -n`, or limit the connections in front",
      );
      return;
    }
    if (!areFree(reopenedDescriptors)) return;
    try {
      await door.open();
      isShut = false;
      failure = undefined;
      logger.info("file descriptors are free again: new connections are accepted");
    } catch (thrown) {
      const { message } = BazaarError.from(thrown);
      if (message !== failure) logger.warn(`new connections can't be accepted yet: ${message}`);
      failure = message;
    }
  });
}

/** Opens that many, and closes them again: nothing else tells how many are free, on every system. It takes 0.1 ms for 32. */
export function areDescriptorsFree(count: number): boolean {
  const opened: number[] = [];
  try {
    for (let index = 0; index < count; index += 1) opened.push(openSync(devNull, "r"));
    return true;
  } catch {
    return false;
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

/** What `ulimit -n` says for this process; `undefined` where the system doesn't tell. */
function descriptorLimit(): number | undefined {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    // No /proc.
    return undefined;
  }
}
