/** Runs commands as a user other than root, because root ignores the modes of files. */

import { root } from "@stock-bazaar/cluster/service";

export interface UnprivilegedRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const timeoutMs = 20_000;
const isRoot = process.getuid?.() === 0;
/** An arbitrary id that no other process here has. */
const someUser = { uid: 65_534, gid: 65_534 };

/** False if this is root and the project lies in a folder that only root can read. */
export const canRunUnprivileged =
  !isRoot || Bun.spawnSync([process.execPath, "-e", `await import("${root}/apps/shared/json.ts")`], someUser).success;

/** Runs `command`, which has the form that `Bun.spawn` takes. */
export async function runUnprivileged(
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<UnprivilegedRun> {
  const child = Bun.spawn([...command], {
    stdio: ["ignore", "pipe", "pipe"],
    // Only turns a hang into a failure, and leaves no process behind.
    timeout: timeoutMs,
    env: { PATH: process.env.PATH, ...environment },
    ...(isRoot ? someUser : {}),
  });
  const [exitCode, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { exitCode, stdout, stderr };
}
