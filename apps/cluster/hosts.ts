/** The machines of a cluster: by default all services run on this one. */

export interface Hosts {
  /** The name or address at which others find this machine. Relays run here. */
  readonly here: string;
  /** The name or address at which others find the machine of a service. */
  nameOf(service: string): string;
  /** The command that runs the command after it on the machine of a service, in the same process. */
  viaOf(service: string): readonly string[];
}

const loopback = "127.0.0.1";

export const oneHost: Hosts = { here: loopback, nameOf: () => loopback, viaOf: () => [] };
