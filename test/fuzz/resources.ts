/**
 * What the services hold: memory and descriptors, before and after. The limits leave room for what a service may keep
 * (caches fill, the heap grows and is kept, statements are prepared); a leak grows with the inputs, and passes any limit.
 */

import { readdirSync, readFileSync } from "node:fs";
import type { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";

interface Held {
  readonly descriptors: number;
  /** Resident, in MiB. */
  readonly memory: number;
}

/** A database opens a file or two when it first needs them. */
const moreDescriptorsMax = 12;
const moreMemoryMax = 160;

/** `descriptors` of a bazaar that no client has connected to; `memory` once its caches are filled and its code is compiled. */
export type HeldByAll = ReadonlyMap<string, Held>;

export function heldBy(services: readonly Service[]): HeldByAll {
  return new Map(services.flatMap(({ name, pid }) => (pid === undefined ? [] : [[name, heldByProcess(pid)] as const])));
}

function heldByProcess(pid: number): Held {
  const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, memory: Math.round(Number(resident) / 1024) };
}

/** Resolves when the services hold little more than `before`; rejects with what they hold if that doesn't become so. */
export async function givenBack(services: readonly Service[], before: HeldByAll): Promise<void> {
  const kept = () =>
    [...heldBy(services)].filter(([name, { descriptors, memory }]) => {
      const earlier = before.get(name) ?? { descriptors: 0, memory: 0 };
      return descriptors > earlier.descriptors + moreDescriptorsMax || memory > earlier.memory + moreMemoryMax;
    });
  await eventually("descriptors and memory are given back", () => kept().length === 0).catch((error: unknown) => {
    const lines = kept().map(
      ([name, held]) => `${name} ${JSON.stringify(held)}, before ${JSON.stringify(before.get(name))}`,
    );
    throw new Error(`services must give back what they took (${lines.join("; ")})`, { cause: error });
  });
}
