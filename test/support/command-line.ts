/** Runs `bazaar` as a person would: in its own process, without this process's environment. */

import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

export interface RunOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** The file that receives the standard output; by default `Ended` does. */
  readonly stdoutFile?: string;
}

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function bazaar(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { cwd = root, environment = {}, stdoutFile } = options;
  const child = Bun.spawn([resolve(root, "apps/cli/bazaar"), ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ["ignore", stdoutFile === undefined ? "pipe" : Bun.file(stdoutFile), "pipe"],
  });
  const output = child.stdout instanceof ReadableStream ? child.stdout.text() : "";
  const [exitCode, stdout, stderr] = await Promise.all([child.exited, output, child.stderr.text()]);
  return { exitCode, stdout, stderr };
}
