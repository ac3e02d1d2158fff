/**
 * How this project starts Bun: it reads no file that it was not given.
 *
 * By default Bun reads variables from the `.env` of the current folder and runs the `preload` of its `bunfig.toml`,
 * whatever folder `bazaar` was called in. The script `apps/cli/bazaar` and package.json have the same flags.
 */

const flags = ["--no-env-file", "--config=/dev/null"] as const;

/** The command that runs a script; `args` are the script and its arguments. */
export function bunCommand(...args: readonly string[]): string[] {
  return bunCommandOf(process.execPath, ...args);
}

/** The same with another Bun than this process's. */
export function bunCommandOf(bun: string, ...args: readonly string[]): string[] {
  return [bun, ...flags, ...args];
}
