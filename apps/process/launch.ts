/**
 * Starts every process of this project, for the supervisor, tests and benchmarks alike.
 *
 * It passes the settings of the runtime. A supervised service doesn't outlive the process that started it
 * (supervised.ts).
 */

import { runtimeSettings } from "./runtime-settings.ts";
import { supervisedVariable } from "./supervised.ts";

export interface Launch<Output extends "inherit" | "pipe"> {
  /** The service's name in logs and traces. */
  readonly name: string;
  readonly command: readonly string[];
  /** The whole environment. It overrides the settings of the runtime. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Standard output and standard error. */
  readonly output: Output;
  readonly cwd?: string;
  /** False for a program as a person would run it, which ends by itself or on a signal. Default: true. */
  readonly supervised?: boolean;
  /** Receives messages on a channel that is private to the two processes. Without it there is no channel. */
  readonly onMessage?: ((message: unknown, reply: (message: object) => void) => void) | undefined;
}

export type Launched<Output extends "inherit" | "pipe"> = Bun.Subprocess<"pipe", Output, Output>;

/** How a process ended. One of the two is null; both are if the process can no longer be queried. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

export function launch<Output extends "inherit" | "pipe">(options: Launch<Output>): Launched<Output> {
  const { name, command, environment, output, cwd, supervised = true, onMessage } = options;
  return Bun.spawn([...command], {
    // A supervised service watches its standard input, which ends when this process does.
    stdio: ["pipe", output, output],
    env: { ...runtimeSettings, ...environment, ...(supervised && { [supervisedVariable]: name }) },
    // Its own session: Ctrl-C in the terminal reaches only this process, which then stops the services in order.
    detached: supervised,
    ...(cwd !== undefined && { cwd }),
    ...(onMessage && {
      ipc(message: unknown, sender: { send(message: object): unknown }) {
        onMessage(message, (reply) => void sender.send(reply));
      },
    }),
  });
}

/** How the process ended; `undefined` while it runs. */
export function exitOf({ exitCode, signalCode }: Bun.Subprocess): Exit | undefined {
  if (exitCode === null && signalCode === null) return undefined;
  return { code: exitCode, signal: signalCode === null ? null : String(signalCode) };
}
