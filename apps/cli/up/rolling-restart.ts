/**
 * Restarts the services of a running bazaar one after another, while it trades: followers, the leader last, the catalogs
 * (standbys first), the front-ends. Each step waits until the part is back and as useful as before: only then may the next
 * one be away. The first part that doesn't come back ends it. This file holds only the policy: processes, questions to the
 * services and time are passed in.
 */

import { type Clock, pause } from "@stock-bazaar/shared/clock";
import type { CatalogState, ReplicaStatus } from "@stock-bazaar/shared/api";

const askEveryMs = 20;

/** What the services say of themselves now. */
export interface BazaarState {
  /** The last order of the ledger; `undefined` if no catalog answers. */
  readonly head: number | undefined;
  /** The catalogs in the order of CATALOG_ADDRESSES. */
  readonly catalogs: readonly CatalogState["state"][];
  /** The replicas that answer, by id. */
  readonly replicas: ReadonlyMap<number, ReplicaStatus>;
}

export interface RollingRestartOptions {
  readonly replicaIds: readonly number[];
  readonly frontEnds: readonly string[];
  readonly replicaService: (id: number) => string;
  /** The name of a catalog's service, by its place in CATALOG_ADDRESSES. */
  readonly catalogService: (place: number) => string;
  readonly look: () => Promise<BazaarState>;
  readonly supervisor: {
    restartService(name: string): Promise<void>;
    /** Lets a new process of a front-end follow the running one. */
    replaceFrontEnd(name: string): Promise<void>;
  };
  /** How long a part may take to come back. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Receives one line for each step. */
  readonly print: (line: string) => void;
  /** Aborts before the next step. */
  readonly stopping: AbortSignal;
}

/** Rejects with the reason if the bazaar isn't sound at the start, or a part doesn't come back. */
export async function rollingRestart(options: RollingRestartOptions): Promise<void> {
  const { replicaIds, frontEnds, replicaService, catalogService, look, supervisor, clock, print } = options;
  const startedMs = clock.nowMs();
  let longest = { name: "", ms: 0 };
  let steps = 0;

  const step = async (
    name: string,
    what: string,
    restart: () => Promise<void>,
    back: (state: BazaarState) => string | undefined,
  ) => {
    if (options.stopping.aborted) throw new Error(`stopped before ${name}: ${steps} parts were restarted`);
    await until("before " + name, (state) => lackOf(state, replicaIds));
    const beganMs = clock.nowMs();
    try {
      await restart();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`${name} could not be restarted: ${why}`, { cause: error });
    }
    await until(`after the restart of ${name}`, (state) => lackOf(state, replicaIds) ?? back(state));
    const ms = clock.nowMs() - beganMs;
    if (ms > longest.ms) longest = { name, ms };
    steps += 1;
    print(`${name.padEnd(12)} ${what.padEnd(10)} ${seconds(ms)}`);
  };
  const until = async (when: string, lack: (state: BazaarState) => string | undefined) => {
    const endMs = clock.nowMs() + options.timeoutMs;
    for (;;) {
      const missing = lack(await look());
      if (missing === undefined) return;
      if (clock.nowMs() >= endMs)
        throw new Error(`${when}, ${missing} for ${seconds(options.timeoutMs)}: nothing more is restarted`);
      await pause(clock, askEveryMs);
    }
  };
  const restartReplica = async (id: number, what: string) => {
    let head = 0;
    const restart = async () => {
      await supervisor.restartService(replicaService(id));
      head = (await look()).head ?? 0;
    };
    await step(replicaService(id), what, restart, ({ replicas }) => {
      const lastId = replicas.get(id)?.lastId ?? 0;
      return lastId < head ? `${replicaService(id)} is at order ${lastId} of ${head}` : undefined;
    });
  };

  const lacks = lackOf(await look(), replicaIds);
  if (lacks !== undefined) throw new Error(`${lacks}: nothing is restarted while the bazaar isn't whole`);

  const left = new Set(replicaIds);
  while (left.size > 0) {
    // The lead may move meanwhile.
    const leader = leaderOf(await look());
    const next = [...left].find((id) => id !== leader) ?? leader ?? 0;
    await restartReplica(next, next === leader ? "leader" : "follower");
    left.delete(next);
  }

  const { catalogs } = await look();
  const active = catalogs.indexOf("active") + 1;
  const places = catalogs.map((_, index) => index + 1);
  for (const place of [...places.filter((other) => other !== active), active]) {
    const what = place === active ? "catalog" : "standby";
    await step(
      catalogService(place),
      what,
      () => supervisor.restartService(catalogService(place)),
      () => undefined,
    );
  }

  for (const name of frontEnds) {
    await step(
      name,
      "front-end",
      () => supervisor.replaceFrontEnd(name),
      () => undefined,
    );
  }
  print(
    `${steps} parts were restarted in ${seconds(clock.nowMs() - startedMs)}; the longest took ${seconds(longest.ms)}: ${longest.name}`,
  );
}

/** What is missing for a part to be restarted without being missed; `undefined` if nothing is. */
function lackOf({ head, catalogs, replicas }: BazaarState, replicaIds: readonly number[]): string | undefined {
  if (head === undefined) return "no catalog answers";
  const away = catalogs.indexOf("away");
  if (away >= 0) return `catalog ${away + 1} doesn't answer`;
  const silent = replicaIds.find((id) => !replicas.has(id));
  if (silent !== undefined) return `replica ${silent} doesn't answer`;
  const leader = [...replicas.values()].find(({ role }) => role === "leader");
  if (!leader) return "no replica leads";
  if (!leader.reachesCatalog) return "the leader doesn't reach the catalog";
  const apart = replicaIds.find((id) => id !== leader.replica && !leader.liveFollowers.includes(id));
  return apart === undefined ? undefined : `replica ${apart} doesn't follow the leader`;
}

function leaderOf({ replicas }: BazaarState): number | undefined {
  return [...replicas.values()].find(({ role }) => role === "leader")?.replica;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
