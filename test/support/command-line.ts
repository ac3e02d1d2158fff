/** `bazaar`, run as a person would: its own process, a folder of its own, nothing of this one's environment. */

import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

export interface RunOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function bazaar(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { cwd = root, environment = {} } = options;
  const child = Bun.spawn([process.execPath, resolve(root, "apps/cli/main.ts"), ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [exitCode, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { exitCode, stdout, stderr };
}
