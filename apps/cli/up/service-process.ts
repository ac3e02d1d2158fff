/** Real processes for the supervisor: they print where it prints, and they don't outlive it. */

import { runtimeSettings } from "@stock-bazaar/process/runtime-settings";
import { supervisedVariable } from "@stock-bazaar/process/supervised";
import type { ServiceProcess, ServiceSpec } from "./supervisor.ts";

export function startServiceProcess({ name, command, environment, hears }: ServiceSpec): ServiceProcess {
  const child = Bun.spawn([...command], {
    // The service watches its standard input, which ends when this process does.
    stdio: ["pipe", "inherit", "inherit"],
    env: { ...runtimeSettings, ...process.env, ...environment, [supervisedVariable]: name },
    // A session of its own: Ctrl-C in the terminal reaches the supervisor only, which then stops all in order.
    detached: true,
    ...(hears && {
      ipc(message: unknown, sender: { send(message: object): unknown }) {
        hears(message, (reply) => void sender.send(reply));
      },
    }),
  });
  return {
    pid: child.pid,
    exited: child.exited.then(() => ({
      code: child.exitCode,
      signal: child.signalCode === null ? null : String(child.signalCode),
    })),
    kill(signal) {
      child.kill(signal);
      // One that is frozen hears SIGTERM only when it goes on.
      if (signal === "SIGTERM") child.kill("SIGCONT");
    },
    freeze(forMs) {
      child.kill("SIGSTOP");
      wakeLater(child.pid, forMs);
    },
  };
}

/** By another process: this one may be gone by then, and a frozen orphan would hold its port and its database for ever. */
function wakeLater(pid: number, afterMs: number): void {
  const command = ["sh", "-c", 'sleep "$0"; kill -CONT "$1" 2>/dev/null', String(afterMs / 1000), String(pid)];
  Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"], detached: true }).unref();
}
