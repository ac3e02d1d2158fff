/** The targets of faults: the current leader and followers, and how to kill and start a service. */

import type { Cluster } from "@stock-bazaar/cluster/cluster";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import type { Register } from "@stock-bazaar/shared/domain";
import type { Scene } from "./fault.ts";

/** Reads the register from the stored ledger, so that it works without a running catalog. */
export function readRegister({ ledger }: Cluster): Promise<Register> {
  return chosenLedgerStore(ledger).read((view) => view.register());
}

export function replicaNames({ cluster }: Scene): string[] {
  return cluster.replicaIds.map((id) => `order-${id}`);
}

export async function leaderName({ cluster }: Scene): Promise<string> {
  return `order-${(await readRegister(cluster)).leader}`;
}

export async function followerName(scene: Scene): Promise<string> {
  return choose(await followerNames(scene), scene);
}

export async function followerNames(scene: Scene): Promise<string[]> {
  const leader = await leaderName(scene);
  return replicaNames(scene).filter((name) => name !== leader);
}

export function frontEndName(scene: Scene): string {
  return choose(frontEndNames(scene), scene);
}

export function frontEndNames({ cluster }: Scene): string[] {
  return cluster.urls.map((_, index) => `front-end-${index + 1}`);
}

export function choose<Entry>(list: readonly Entry[], { choice }: Pick<Scene, "choice">): Entry {
  const entry = list[Math.floor(choice * list.length)];
  if (entry === undefined) throw new Error("there must be something to choose from (the list is empty)");
  return entry;
}

/** Kills the services with kill -9. Reports a service that ended by itself before: no fault permits that. */
export async function kill({ cluster, found }: Scene, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const { exit } = cluster.service(name);
    if (exit) found(endedByItself(name, exit));
  }
  await Promise.all(names.map((name) => cluster.service(name).kill()));
}

export function endedByItself(name: string, exit: { code: number | null; signal: string | null }) {
  const text = `${name} must not end by itself (it ended with ${exit.signal ?? `code ${exit.code}`})`;
  return { promise: "I8", harm: "other", text } as const;
}

export function start({ cluster }: Scene, names: readonly string[]): void {
  for (const name of names) cluster.service(name).start();
}
