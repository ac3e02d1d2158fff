/** The error for an address that a service can't listen on. It names the environment variable to change. */

import { addressText, type ListenAddress } from "./addresses.ts";
import { ConfigError } from "./environment.ts";

/** `error` comes from Bun, Node or gRPC; gRPC's has the system's code only in its text. */
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
      // An unknown name, or a number that is no address: the runtimes report these in different words.
      const must = "a name or an address of this machine, like 127.0.0.1";
      return inOne
        ? new ConfigError(variables.host, text, `must have a host that is ${must}`)
        : new ConfigError(variables.host, host, `must be ${must}`);
    }
  }
}
