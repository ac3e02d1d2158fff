/**
 * The one way in which this project starts a service of its own, whether a supervisor does it, a test or a benchmark: with the
 * settings of the runtime, and so that it doesn't outlive the process that started it (supervised.ts).
 */

import { runtimeSettings } from "./runtime-settings.ts";
import { supervisedVariable } from "./supervised.ts";

export interface Launch<Output extends "inherit" | "pipe"> {
  /** The service's name in logs and traces. */
  readonly name: string;
  readonly command: readonly string[];
  /** The whole environment. It goes before the settings of the runtime. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Standard output and standard error. */
  readonly output: Output;
  readonly cwd?: string;
  /** False: a program as a person would run it, which ends by itself or on a signal. Default: true. */
  readonly supervised?: boolean;
  /** Receives the messages of a channel that only the two processes have. Absent: there is no channel. */
  readonly hears?: ((message: unknown, reply: (message: object) => void) => void) | undefined;
}

export type Launched<Output extends "inherit" | "pipe"> = Bun.Subprocess<"pipe", Output, Output>;

/** One of the two is null; both are if the process can't be asked any more. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

export function launch<Output extends "inherit" | "pipe">(options: Launch<Output>): Launched<Output> {
  const { name, command, environment, output, cwd, supervised = true, hears } = options;
  return Bun.spawn([...command], {
    // A supervised service watches its standard input, which ends when this process does.
    stdio: ["pipe", output, output],
    env: { ...runtimeSettings, ...environment, ...(supervised && { [supervisedVariable]: name }) },
    // A session of its own: Ctrl-C in the terminal reaches this process only, which then stops all in order.
    detached: supervised,
    ...(cwd !== undefined && { cwd }),
    ...(hears && {
      ipc(message: unknown, sender: { send(message: object): unknown }) {
        hears(message, (reply) => void sender.send(reply));
      },
    }),
  });
}

/** `undefined` while it runs. */
export function exitOf({ exitCode, signalCode }: Bun.Subprocess): Exit | undefined {
  if (exitCode === null && signalCode === null) return undefined;
  return { code: exitCode, signal: signalCode === null ? null : String(signalCode) };
}
