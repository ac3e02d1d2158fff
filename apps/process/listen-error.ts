/** Why a service can't listen on an address, with the variable of the environment to change. */

import { addressText, type ListenAddress } from "./addresses.ts";
import { ConfigError } from "./environment.ts";

/** `error` is what Bun, Node or gRPC gave as the reason; the last has the system's code in its text only. */
export function listenError(address: ListenAddress, error: unknown): ConfigError {
  const { host, port, variables } = address;
  const text = addressText(address);
  const inOne = variables.host === variables.port;
  const wrongPort = (must: string, hint: string) =>
    inOne
      ? new ConfigError(variables.port, text, `must name ${must}`, hint)
      : new ConfigError(variables.port, String(port), `must be ${must}`, hint);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (/EADDRINUSE|EADDRNOTAVAIL|EACCES/.exec(`${code} ${String(error)}`)?.[0]) {
    case "EADDRINUSE":
      return wrongPort("a free port", `another process listens there (${text}); stop it, or choose another port`);
    case "EACCES":
      return wrongPort("a port above 1023", "this user may not listen on a lower one");
    default: {
      // No such name, or a number that is no address: each runtime has its own words for it.
      const must = "a name or an address of this machine, like 127.0.0.1";
      return inOne
        ? new ConfigError(variables.host, text, `must name ${must}`)
        : new ConfigError(variables.host, host, `must be ${must}`);
    }
  }
}
