/** The targets of faults: the current leader and followers, and how to kill and start a service. */

import type { Cluster } from "@stock-bazaar/cluster/cluster";
import { ledgerServerName } from "@stock-bazaar/cluster/relays";
import type { Service, StartOptions } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import type { Register } from "@stock-bazaar/shared/domain";
import type { Scene } from "./fault.ts";
import { ledgerUrlOf, onServer } from "./on-server.ts";

/** Stands for the ledger's server among the names of what faults touch, and in links. */
export const serverName = ledgerServerName;

/** Far more than needed once the other faults are mended. */
const timeoutMs = 20_000;

/** Reads the register from the stored ledger, so that it works without a running catalog. */
export function readRegister({ ledger }: Cluster): Promise<Register> {
  const read = () => chosenLedgerStore(ledger).read((view) => view.register());
  // Another fault may have just ended its server.
  return ledger.ledgerUrl === undefined ? read() : eventually("the register can be read", read, { timeoutMs });
}

export function catalogNames({ cluster }: Scene): string[] {
  return cluster.names.filter((name) => name.startsWith("catalog"));
}

/** The active catalog. While none is: the one that was, or the first. */
export async function catalogName(scene: Scene): Promise<string> {
  const [first = "", ...others] = catalogNames(scene);
  if (others.length === 0) return first;
  const url = ledgerUrlOf(scene.cluster);
  const holder = await eventually(
    "the register can be read",
    () =>
      onServer(url, async (connection) => {
        const { rows } = await connection.query<{ holder: string }>({ text: "SELECT holder FROM register" });
        return { name: rows[0]?.holder ?? "" };
      }),
    { timeoutMs },
  );
  const pid = Number(/^process (\d+) /.exec(holder.name)?.[1]);
  return catalogNames(scene).find((name) => scene.cluster.service(name).pid === pid) ?? first;
}

export async function standbyName(scene: Scene): Promise<string> {
  const active = await catalogName(scene);
  return choose(
    catalogNames(scene).filter((name) => name !== active),
    scene,
  );
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

/** Starts services. Resolves when those that need the ledger's server have found it. */
export async function start(scene: Scene, names: readonly string[], options?: StartOptions): Promise<void> {
  const services = names.map((name) => scene.cluster.service(name));
  for (const service of services) service.start(options);
  if (scene.server === undefined) return;
  const catalogs = catalogNames(scene);
  await Promise.all(
    services.filter(({ name }) => catalogs.includes(name)).map((service) => listens(service, scene, options)),
  );
}

/** Another fault may have ended the server: then the catalog ends, and is started again as a supervisor does. */
async function listens(service: Service, { signal }: Scene, options?: StartOptions): Promise<void> {
  await eventually(
    `${service.name} listens`,
    () => {
      if (service.newLines.some((line) => line.includes("listening"))) return true;
      if (service.exit?.code === 1 && unusableServer.test(service.newLines.at(-1) ?? "")) service.start(options);
      return service.exit !== undefined;
    },
    { timeoutMs, signal },
  );
}

const unusableServer = /can't be (reached|used): |isn't ready: |has no connection left: /;
