/** Gives every link between two processes of a cluster its own relay, so that each can be cut alone. */

import { addressVariables, frontEndName, listeners, replicaName, type ServicePorts } from "./addresses.ts";
import { type Relay, startRelay } from "./relay.ts";

/** A link from the process that connects to the process that listens, by their names in the cluster. */
export interface Link {
  readonly from: string;
  readonly to: string;
}

export class Relays {
  readonly #ports: ServicePorts;
  readonly #relays = new Map<string, Relay>();

  private constructor(ports: ServicePorts) {
    this.#ports = ports;
  }

  /** Starts a relay from each replica and front-end to the catalog and to every other replica. */
  static async start(ports: ServicePorts): Promise<Relays> {
    const relays = new Relays(ports);
    const dialers = [...[...ports.replicas.keys()].map(replicaName), ...[...ports.frontEnds.keys()].map(frontEndName)];
    for (const from of dialers) {
      for (const [to, port] of listeners(ports)) {
        if (from !== to) relays.#relays.set(nameOf({ from, to }), await startRelay(() => port));
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
    const portOf = (to: string) => this.#relays.get(nameOf({ from: name, to }))?.address.port ?? ports.get(to) ?? 0;
    return addressVariables(this.#ports.replicas.keys(), portOf);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#relays.values()].map((relay) => relay.close()));
  }
}

export function nameOf({ from, to }: Link): string {
  return `${from} → ${to}`;
}
