/** Gives every link between two processes of a cluster its own relay, so that each can be cut alone. */

import type { Address } from "@stock-bazaar/process/addresses";
import { addressVariables, catalogName, frontEndName, listeners, replicaName, type ServicePorts } from "./addresses.ts";
import { type Hosts, oneHost } from "./hosts.ts";
import { type Relay, startRelay } from "./relay.ts";

/** A link from the process that connects to the process that listens, by their names in the cluster. */
export interface Link {
  readonly from: string;
  readonly to: string;
}

/** The name of the ledger's PostgreSQL server in links. */
export const ledgerServerName = "server";

export interface RelaysOptions {
  readonly hosts?: Hosts;
  readonly delayMs?: number;
  /** Of a ledger on one server. */
  readonly ledgerUrl?: string | undefined;
}

export class Relays {
  readonly #ports: ServicePorts;
  readonly #hosts: Hosts;
  readonly #ledgerUrl: string | undefined;
  readonly #relays = new Map<string, Relay>();

  private constructor(ports: ServicePorts, hosts: Hosts, ledgerUrl: string | undefined) {
    this.#ports = ports;
    this.#hosts = hosts;
    this.#ledgerUrl = ledgerUrl;
  }

  /**
   * Starts a relay from each replica and front-end to the catalogs and to every other replica, and from each catalog to the
   * server of its ledger. `delayMs` is the delay in each direction.
   */
  static async start(ports: ServicePorts, options: RelaysOptions = {}): Promise<Relays> {
    const { hosts = oneHost, delayMs = 0, ledgerUrl } = options;
    const relays = new Relays(ports, hosts, ledgerUrl);
    const listenHost = hosts === oneHost ? hosts.here : "0.0.0.0";
    const dialers = [...[...ports.replicas.keys()].map(replicaName), ...[...ports.frontEnds.keys()].map(frontEndName)];
    for (const from of dialers) {
      for (const [to, port] of listeners(ports)) {
        if (from !== to)
          relays.#relays.set(
            nameOf({ from, to }),
            await startRelay(() => port, { host: hosts.nameOf(to), listenHost, delayMs }),
          );
      }
    }
    if (ledgerUrl !== undefined) {
      const { hostname, port } = new URL(ledgerUrl);
      for (const from of [1, ...ports.otherCatalogs.keys()].map(catalogName))
        relays.#relays.set(
          nameOf({ from, to: ledgerServerName }),
          await startRelay(() => Number(port), { host: hostname, delayMs }),
        );
    }
    return relays;
  }

  of(link: Link): Relay {
    const relay = this.#relays.get(nameOf(link));
    if (!relay)
      throw new Error(
        `a link must lead from a replica or front-end to a service, or from a catalog to its server (got ${nameOf(link)})`,
      );
    return relay;
  }

  /** The addresses for one service: those of its relays, and its own port for itself. */
  environmentOf(name: string): Readonly<Record<string, string>> {
    const ports = listeners(this.#ports);
    const relayTo = (to: string) => this.#relays.get(nameOf({ from: name, to }));
    const server = relayTo(ledgerServerName)?.address;
    return {
      ...addressVariables(
        this.#ports.replicas.keys(),
        (to) => relayTo(to)?.address.port ?? ports.get(to) ?? 0,
        (to) => (relayTo(to) ? this.#hosts.here : this.#hosts.nameOf(to)),
        this.#ports.otherCatalogs.keys(),
      ),
      ...(server && { LEDGER_URL: urlAt(this.#ledgerUrl ?? "", server) }),
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#relays.values()].map((relay) => relay.close()));
  }
}

function urlAt(url: string, { host, port }: Address): string {
  const { host: real } = new URL(url);
  return url.replace(real, `${host}:${port}`);
}

export function nameOf({ from, to }: Link): string {
  return `${from} → ${to}`;
}
