/** Real processes for the supervisor: they print where it prints, and they don't outlive it. */

import { supervisedVariable } from "@stock-bazaar/shared/supervised";
import type { ServiceProcess, ServiceSpec } from "./supervisor.ts";

export function startServiceProcess({ command, environment }: ServiceSpec): ServiceProcess {
  const child = Bun.spawn([...command], {
    // The service watches its standard input, which ends when this process does.
    stdio: ["pipe", "inherit", "inherit"],
    env: { ...process.env, ...environment, [supervisedVariable]: "1" },
    // A session of its own: Ctrl-C in the terminal reaches the supervisor only, which then stops all in order.
    detached: true,
  });
  return {
    pid: child.pid,
    exited: child.exited.then(() => ({
      code: child.exitCode,
      signal: child.signalCode === null ? null : String(child.signalCode),
    })),
    kill(signal) {
      child.kill(signal);
    },
  };
}
