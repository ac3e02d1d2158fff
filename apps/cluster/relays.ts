/** Gives every link between two processes of a cluster its own relay, so that each can be cut alone. */

import { addressVariables, frontEndName, listeners, replicaName, type ServicePorts } from "./addresses.ts";
import { type Hosts, oneHost } from "./hosts.ts";
import { type Relay, startRelay } from "./relay.ts";

/** A link from the process that connects to the process that listens, by their names in the cluster. */
export interface Link {
  readonly from: string;
  readonly to: string;
}

export class Relays {
  readonly #ports: ServicePorts;
  readonly #hosts: Hosts;
  readonly #relays = new Map<string, Relay>();

  private constructor(ports: ServicePorts, hosts: Hosts) {
    this.#ports = ports;
    this.#hosts = hosts;
  }

  /**
   * Starts a relay from each replica and front-end to the catalog and to every other replica. `delayMs` is the delay in
   * each direction.
   */
  static async start(ports: ServicePorts, { hosts = oneHost, delayMs = 0 } = {}): Promise<Relays> {
    const relays = new Relays(ports, hosts);
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
    return relays;
  }

  of(link: Link): Relay {
    const relay = this.#relays.get(nameOf(link));
    if (!relay) throw new Error(`a link must lead from a replica or front-end to a service (got ${nameOf(link)})`);
    return relay;
  }

  /** The addresses for one service: those of its relays, and its own port for itself. */
  environmentOf(name: string): Readonly<Record<string, string>> {
    const ports = listeners(this.#ports);
    const relayTo = (to: string) => this.#relays.get(nameOf({ from: name, to }));
    return addressVariables(
      this.#ports.replicas.keys(),
      (to) => relayTo(to)?.address.port ?? ports.get(to) ?? 0,
      (to) => (relayTo(to) ? this.#hosts.here : this.#hosts.nameOf(to)),
      this.#ports.otherCatalogs.keys(),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#relays.values()].map((relay) => relay.close()));
  }
}

export function nameOf({ from, to }: Link): string {
  return `${from} → ${to}`;
}
