/** The compared systems: the processes of each, and how it shows that it is ready for load. */

import { replicaName } from "@stock-bazaar/cluster/addresses";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { askClusterState } from "./cluster-state.ts";
import type { SystemName } from "./names.ts";

export type Role = "front-end" | "leader" | "followers" | "catalog";

/** A replica's final role depends on which one leads. */
export type SpecifiedRole = "front-end" | "catalog" | "replica";

export interface ProcessSpec {
  readonly name: string;
  /** Without a role its CPU time is not counted. */
  readonly role?: SpecifiedRole;
  /** The name and role of a process that it starts itself; `undefined` if its CPU time is not counted. */
  readonly roleOfChild?: (pid: number) => { readonly name: string; readonly role: SpecifiedRole } | undefined;
  /** Relative to apps/. */
  readonly command: readonly [script: string, ...args: string[]];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface SystemSpec {
  /** Its name in messages. */
  readonly name: string;
  /** The root of another checkout whose code and Bun it runs. Default: this one. */
  readonly checkout?: string;
  /** Its ledger is on a PostgreSQL server of its own, whose CPU time counts as the catalog's. */
  readonly hasPostgres?: boolean;
  /** Its front-end serves HTTPS if FRONTEND_TLS_CERT is set. */
  readonly obeysHttps?: boolean;
  /** It creates its databases itself, instead of finding them. */
  readonly createsDatabases?: boolean;
  /** In start order; they stop in reverse order. */
  readonly processes: readonly ProcessSpec[];
  readonly isReady: (url: string) => Promise<boolean>;
  /** The id of the leader; 0 if there is none. */
  readonly leaderId: (url: string) => Promise<number>;
  /** The number of the last order if every replica holds every order, else `undefined`. Asked before the stop. */
  readonly evenAt: (url: string) => Promise<number | undefined>;
}

export const replicaIds = [1, 2, 3] as const;
/** The leader in systems that don't choose one. */
const fixedLeaderId = Math.max(...replicaIds);

const replicas = replicaIds.map((id) => {
  return { id, name: replicaName(id), role: "replica", environment: { ORDER_ID: String(id) } } as const;
});

type Questions = Pick<SystemSpec, "isReady" | "leaderId" | "evenAt" | "obeysHttps">;

/** What any version of the bazaar answers. One from before HTTPS never gets ready with it. */
export const bazaarQuestions: Questions = {
  obeysHttps: true,
  async isReady(url) {
    const { leader, liveFollowers } = await askClusterState(url);
    return leader > 0 && liveFollowers === replicaIds.length - 1 && (await answers(`${url}/readyz`, 200));
  },
  leaderId: async (url) => (await askClusterState(url)).leader,
  async evenAt(url) {
    const { isEven, head } = await askClusterState(url);
    return isEven ? head : undefined;
  },
};

const onePlace: Questions = {
  isReady: (url) => answers(`${url}/stocks/GameStart`, 200),
  leaderId: async () => 0,
  evenAt: async () => 0,
};

const service: SystemSpec = {
  name: "service",
  processes: [
    { name: "catalog", role: "catalog", command: ["catalog/main.ts"] },
    ...replicas.map((replica): ProcessSpec => ({ ...replica, command: ["order/main.ts"] })),
    { name: "front-end", role: "front-end", command: ["front-end/main.ts"] },
  ],
  ...bazaarQuestions,
};

export const systems: Record<SystemName, SystemSpec> = {
  service,
  "service-postgres": { ...service, name: "service-postgres", hasPostgres: true },
  yardstick: {
    name: "yardstick",
    processes: [{ name: "yardstick", role: "front-end", command: ["bench/yardstick.ts"] }],
    ...onePlace,
  },
  naive: fiveProcesses("naive", "bench/naive.ts"),
  floor: fiveProcesses("floor", "bench/floor.ts"),
  postgres: {
    name: "postgres",
    processes: [
      {
        name: "postgres",
        role: "front-end",
        roleOfChild: () => ({ name: "server", role: "catalog" }),
        command: ["bench/postgres.ts"],
      },
    ],
    ...onePlace,
  },
};

/** A system of the same processes as the service, one script that takes the role as its argument. */
function fiveProcesses(name: string, script: string): SystemSpec {
  const command = (role: string) => [script, role] as const;
  return {
    name,
    processes: [
      { name: "catalog", role: "catalog", command: command("catalog") },
      ...replicas.map((replica): ProcessSpec => {
        return { ...replica, command: command(replica.id === fixedLeaderId ? "leader" : "follower") };
      }),
      { name: "front-end", role: "front-end", command: command("front-end") },
    ],
    // Its front-end listens only once everything behind it does.
    isReady: (url) => answers(url, 404),
    leaderId: async () => fixedLeaderId,
    evenAt: async () => 0,
  };
}

async function answers(url: string, status: number): Promise<boolean> {
  const response = await fetchDirectly(url, { signal: AbortSignal.timeout(2000) });
  await response.body?.cancel();
  return response.status === status;
}
