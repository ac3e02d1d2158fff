/** Starts real processes for the supervisor. They print where it prints, and they don't outlive it. */

import { clientTokenVariable } from "@stock-bazaar/process/client-token";
import { exitOf, launch } from "@stock-bazaar/process/launch";
import { isServingMessage } from "@stock-bazaar/process/supervised";
import type { ServiceProcess, ServiceSpec } from "./supervised-service.ts";

export function startServiceProcess({ name, command, environment, onMessage }: ServiceSpec): ServiceProcess {
  const serving = Promise.withResolvers<void>();
  const child = launch({
    name,
    command,
    // Services don't need the token of this process's own questions.
    environment: { ...process.env, [clientTokenVariable]: undefined, ...environment },
    output: "inherit",
    onMessage:
      onMessage &&
      ((message, reply) => {
        if (isServingMessage(message)) serving.resolve();
        else onMessage(message, reply);
      }),
  });
  return {
    pid: child.pid,
    serving: serving.promise,
    exited: child.exited.then(() => exitOf(child) ?? { code: null, signal: null }),
    kill(signal) {
      child.kill(signal);
      // A frozen process handles SIGTERM only after it has been resumed.
      if (signal === "SIGTERM") child.kill("SIGCONT");
    },
    freeze(forMs) {
      child.kill("SIGSTOP");
      wakeLater(child.pid, forMs);
    },
  };
}

/** In another process: this one may have ended by then, and a frozen orphan would keep its port and its database. */
function wakeLater(pid: number, afterMs: number): void {
  const command = ["sh", "-c", 'sleep "$0"; kill -CONT "$1" 2>/dev/null', String(afterMs / 1000), String(pid)];
  Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"], detached: true }).unref();
}
