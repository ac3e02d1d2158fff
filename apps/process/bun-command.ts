/**
 * How this project starts Bun: it reads no file that it wasn't told of. By itself Bun would take variables from the `.env`
 * of the current folder and run the `preload` of its `bunfig.toml`, whatever folder `bazaar` was called in. The script
 * `apps/cli/bazaar` and package.json have the same flags.
 */

const flags = ["--no-env-file", "--config=/dev/null"] as const;

/** `args`: a script with its arguments. */
export function bunCommand(...args: readonly string[]): string[] {
  return [process.execPath, ...flags, ...args];
}
