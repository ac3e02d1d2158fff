/** What happens to the hosts and their links. Every function returns a fault of one kind. */

import type { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { eventually } from "@stock-bazaar/cluster/wait";
import type { Cluster } from "@stock-bazaar/cluster/cluster";
import type { Host, Network } from "./network.ts";
import type { Fault } from "./round.ts";

interface Scene {
  readonly cluster: Cluster;
  readonly network: Network;
  /** The host of the leader of this moment. */
  readonly leader: Host;
  /** The host of a follower of this moment. */
  readonly follower: Host;
  /** The host of the catalog, or of the active one of several at this moment. */
  readonly active: Host;
}

export interface Scenario {
  readonly title: string;
  readonly faultOf: (scene: Scene) => Fault;
  /** Whether the fault must remain unseen by clients: every request is answered, and not with 503. */
  readonly isUnseen: boolean;
  /** Whether every link between two services is delayed. */
  readonly isDelayed?: boolean;
  /** Whether two catalogs share a ledger on PostgreSQL, on a host of its own. */
  readonly isShared?: boolean;
  /** Whether the services talk by mutual TLS. */
  readonly isSecure?: boolean;
  /** How long clients wait for one reply, where the host that they call may vanish. */
  readonly patienceMs?: number;
}

/** Longer than TCP and gRPC take to give a silent connection up (`keepaliveMs` in transport/client.ts, twice). */
const longMs = 8000;
const shortMs = 3000;
/** Longer than a front-end retries a request. */
const outageMs = 20_000;
/** Of PostgreSQL. */
export const databaseHost = "database";
const provingTrades = 50;
const wait = { timeoutMs: 60_000 };
const shortPatienceMs = 1500;

/** Trading must go on while the fault lasts, which is at least `holdMs`. */
async function trading(traffic: Traffic, holdMs: number): Promise<void> {
  await Promise.all([Bun.sleep(holdMs), traffic.more(provingTrades, wait)]);
  await traffic.more(provingTrades, wait);
}

/** No fault at all. */
const calm = (): Fault => ({ inflict: (traffic) => trading(traffic, shortMs), mend: async () => {} });

const unplugged =
  (which: (scene: Scene) => Host, holdMs: number) =>
  (scene: Scene): Fault => {
    const host = which(scene);
    return {
      async inflict(traffic) {
        host.unplug();
        await trading(traffic, holdMs);
      },
      mend: async () => host.plug(),
    };
  };

/** Nothing can be traded meanwhile. */
const catalogUnplugged =
  (holdMs: number) =>
  ({ network }: Scene): Fault => ({
    async inflict() {
      network.host("catalog").unplug();
      await Bun.sleep(holdMs);
    },
    mend: async () => network.host("catalog").plug(),
  });

/** The host receives nothing (INPUT), or nothing of what it sends arrives (OUTPUT). */
const oneWay =
  (which: (scene: Scene) => Host, chain: "INPUT" | "OUTPUT", holdMs: number) =>
  (scene: Scene): Fault => {
    const host = which(scene);
    return {
      async inflict(traffic) {
        host.drop(chain);
        await trading(traffic, holdMs);
      },
      mend: async () => host.dropNothing(),
    };
  };

/** A network that loses every packet and tells nobody: other than with an unplugged cable, no address is found missing. */
const lostCatalog = ({ network }: Scene): Fault => ({
  async inflict() {
    network.host("catalog").drop("INPUT");
    network.host("catalog").drop("OUTPUT");
    await Bun.sleep(outageMs);
  },
  mend: async () => network.host("catalog").dropNothing(),
});

/** The leader's packets reach the catalog, but the catalog's don't reach the leader. All other links work. */
const unheardCatalog = ({ leader, network }: Scene): Fault => ({
  async inflict(traffic) {
    leader.drop("INPUT", "--source", network.host("catalog").address);
    await trading(traffic, longMs);
  },
  mend: async () => leader.dropNothing(),
});

/** Packets between the active catalog and these hosts are lost, in both directions or only its own. Nothing tells them. */
const lostActive =
  (peersOf: (scene: Scene) => readonly Host[], lost: "both directions" | "its own" = "both directions") =>
  (scene: Scene): Fault => ({
    async inflict(traffic) {
      for (const { address } of peersOf(scene)) {
        if (lost === "both directions") scene.active.drop("INPUT", "--source", address);
        scene.active.drop("OUTPUT", "--destination", address);
      }
      await trading(traffic, longMs);
    },
    mend: async () => scene.active.dropNothing(),
  });

/** Neither catalog reaches the database. */
const databaseUnplugged =
  (holdMs: number) =>
  ({ network }: Scene): Fault => ({
    async inflict() {
      network.host(databaseHost).unplug();
      await Bun.sleep(holdMs);
    },
    mend: async () => network.host(databaseHost).plug(),
  });

const lossy = ({ network }: Scene): Fault => ({
  async inflict(traffic) {
    for (const host of network.hosts)
      host.drop("INPUT", "--match", "statistic", "--mode", "random", "--probability", "0.01");
    await trading(traffic, longMs);
  },
  async mend() {
    for (const host of network.hosts) host.dropNothing();
  },
});

/** The host loses its power: no packet tells anybody. Later it is there again, and its service starts. */
const vanished =
  (which: (scene: Scene) => Host, holdMs: number, isTrading = true) =>
  (scene: Scene): Fault => {
    const host = which(scene);
    const service = scene.cluster.service(host.name);
    return {
      async inflict(traffic) {
        host.unplug();
        await service.kill();
        await (isTrading ? trading(traffic, holdMs) : Bun.sleep(holdMs));
        await untilForgotten(scene.network, host);
      },
      async mend() {
        host.replace();
        service.start();
      },
    };
  };

/** Waits until every process has closed its connections to a host that doesn't answer. */
async function untilForgotten({ hosts }: Network, gone: Host): Promise<void> {
  const left = () =>
    hosts.flatMap(({ name, peers }) =>
      peers.filter(({ to }) => to.startsWith(`${gone.address}:`)).map(({ from, to }) => `${name} ${from} → ${to}`),
    );
  const isForgotten = () => {
    const connections = left();
    if (connections.length === 0) return true;
    throw new Error(connections.join(", "));
  };
  await eventually(`no host has a connection to ${gone.name}`, isForgotten, { timeoutMs: 20_000, pollMs: 200 });
}

const leader = (scene: Scene) => scene.leader;
const follower = (scene: Scene) => scene.follower;
const active = (scene: Scene) => scene.active;
const database = ({ network }: Scene) => [network.host(databaseHost)];
const callers = ({ network }: Scene) => network.hosts.filter(({ name }) => /^(order|front-end)-/.test(name));
const catalog = ({ network }: Scene) => network.host("catalog");
const frontEnd = ({ network }: Scene) => network.host("front-end-2");

/** With two catalogs. */
const sharedScenarios: readonly Omit<Scenario, "isUnseen" | "isShared">[] = [
  { title: "two catalogs, and nothing happens", faultOf: calm },
  { title: "the active catalog's link is cut", faultOf: unplugged(active, longMs) },
  { title: "the active catalog receives nothing", faultOf: oneWay(active, "INPUT", longMs) },
  { title: "nothing that the active catalog sends arrives", faultOf: oneWay(active, "OUTPUT", longMs) },
  { title: "the active catalog's host vanishes", faultOf: vanished(active, longMs) },
  { title: "the active catalog and the database lose all packets of each other", faultOf: lostActive(database) },
  { title: "the active catalog and its callers lose all packets of each other", faultOf: lostActive(callers) },
  {
    title: "nothing that the active catalog sends to its callers arrives",
    faultOf: lostActive(callers, "its own"),
  },
  { title: "the database's link is cut for 3 s", faultOf: databaseUnplugged(shortMs) },
];

export const scenarios: readonly Scenario[] = [
  { title: "nothing happens", faultOf: calm, isUnseen: true },
  { title: "a follower's link is cut", faultOf: unplugged(follower, longMs), isUnseen: true },
  { title: "the leader's link is cut", faultOf: unplugged(leader, longMs), isUnseen: true },
  { title: "the catalog's link is cut for 3 s", faultOf: catalogUnplugged(shortMs), isUnseen: true },
  { title: "a follower receives nothing", faultOf: oneWay(follower, "INPUT", shortMs), isUnseen: true },
  { title: "the leader receives nothing", faultOf: oneWay(leader, "INPUT", longMs), isUnseen: true },
  { title: "nothing that the leader sends arrives", faultOf: oneWay(leader, "OUTPUT", longMs), isUnseen: true },
  { title: "nothing from the catalog reaches the leader", faultOf: unheardCatalog, isUnseen: true },
  { title: "every host loses 1% of its packets", faultOf: lossy, isUnseen: true },
  { title: "a follower's host vanishes", faultOf: vanished(follower, longMs), isUnseen: true },
  { title: "the leader's host vanishes", faultOf: vanished(leader, longMs), isUnseen: true },
  {
    title: "a front-end's host vanishes",
    faultOf: vanished(frontEnd, longMs),
    isUnseen: false,
    patienceMs: shortPatienceMs,
  },
  {
    title: "the catalog's host vanishes for 20 s",
    faultOf: vanished(catalog, outageMs, false),
    isUnseen: false,
  },
  { title: "the network loses all packets of the catalog for 20 s", faultOf: lostCatalog, isUnseen: false },
  { title: "every message takes 50 ms", faultOf: calm, isUnseen: true, isDelayed: true },
  {
    title: "every message takes 50 ms, and the leader's link is cut",
    faultOf: unplugged(leader, shortMs),
    isUnseen: true,
    isDelayed: true,
  },
  { title: "with TLS, nothing happens", faultOf: calm, isUnseen: true, isSecure: true },
  { title: "with TLS, the leader's host vanishes", faultOf: vanished(leader, longMs), isUnseen: true, isSecure: true },
  ...sharedScenarios.map((scenario) => ({ ...scenario, isUnseen: true, isShared: true })),
];
