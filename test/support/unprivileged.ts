/** Runs commands as a user for whom the modes of files hold: root may write everything, and any other user is one. */

import { root } from "@stock-bazaar/cluster/service";

export interface UnprivilegedRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const timeoutMs = 20_000;
const isRoot = process.getuid?.() === 0;
/** Any number does that no other process here has. */
const someUser = { uid: 65_534, gid: 65_534 };

/** False: this is root, and what lies in root's own folders no other user can run. */
export const canRunUnprivileged =
  !isRoot || Bun.spawnSync([process.execPath, "-e", `await import("${root}/apps/shared/json.ts")`], someUser).success;

/** `command` as for `Bun.spawn`. */
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
