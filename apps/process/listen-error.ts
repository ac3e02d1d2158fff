/** Why nobody can listen on an address: told by the variable of the environment that named it. */

import { type Address, ConfigError } from "./config.ts";

/** The variables that an address was read from. */
export interface AddressVariables {
  readonly host: string;
  readonly port: string;
}

export const frontEndVariables: AddressVariables = { host: "FRONTEND_HOST", port: "FRONTEND_PORT" };
export const catalogVariables: AddressVariables = { host: "CATALOG_HOST", port: "CATALOG_PORT" };
export const replicaVariables: AddressVariables = { host: "ORDER_REPLICAS", port: "ORDER_REPLICAS" };

/** `error` is what Bun, Node or gRPC gave as the reason; the last has the system's code in its text only. */
export function listenError({ host, port }: Address, variables: AddressVariables, error: unknown): ConfigError {
  const address = `${host}:${port}`;
  const both = variables.host === variables.port;
  const wrongHost = (allowed: string) => new ConfigError(variables.host, both ? address : host, allowed);
  const wrongPort = (allowed: string) => new ConfigError(variables.port, both ? address : String(port), allowed);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (/EADDRINUSE|EADDRNOTAVAIL|EACCES/.exec(`${code} ${String(error)}`)?.[0]) {
    case "EADDRINUSE":
      return wrongPort(`another process listens there (${address}); stop it, or choose a free port`);
    case "EACCES":
      return wrongPort("this user may not listen there; choose a port above 1023");
    default:
      // No such name, or a number that is no address: each runtime has its own words for it.
      return wrongHost("allowed is a name or an address of this machine, like 127.0.0.1");
  }
}
