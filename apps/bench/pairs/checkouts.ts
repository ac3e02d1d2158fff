/**
 * Other checkouts of this project, to be measured beside this one. Each runs its own code on its own Bun, started as
 * its own `npm start` does, so it may be any version that is configured by the same variables: 1.0.0 and earlier.
 */

import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { bunOf, root } from "@stock-bazaar/cluster/service";
import { advice } from "@stock-bazaar/process/advice";
import { ConfigError } from "@stock-bazaar/process/environment";
import { supervisedVariable } from "@stock-bazaar/process/supervised";
import { at } from "@stock-bazaar/shared/json";
import { bazaarQuestions, type SpecifiedRole, type SystemSpec } from "../systems.ts";

export interface Checkout {
  readonly name: string;
  readonly folder: string;
  /** Its version and, if git knows it, its commit. */
  readonly version: string;
}

const packageName = "stock-bazaar";

/** The checkout of the running program. */
export const thisCheckout: Checkout = { name: "this checkout", folder: root, version: describeVersion(root) };

/** Throws a ConfigError unless the folder is a checkout of this project whose packages are installed. */
export function readCheckout(name: string): Checkout {
  const folder = resolve(name);
  if (at(manifestOf(folder), "name") !== packageName)
    throw new ConfigError("--against", name, `must name checkouts of ${packageName}, separated by commas`);
  if (!existsSync(bunOf(folder)))
    throw new ConfigError("--against", name, "must name checkouts whose packages are installed", advice.installThere);
  return { name, folder, version: describeVersion(folder) };
}

/** The whole bazaar of a checkout. Its supervisor creates the databases; only the services' CPU time is counted. */
export function checkoutSystem({ name, folder }: Checkout): SystemSpec {
  return {
    name,
    checkout: folder,
    createsDatabases: true,
    processes: [{ name: "up", command: ["cli/main.ts", "up"], roleOfChild }],
    ...bazaarQuestions,
  };
}

/** The service that a supervisor's child runs, from the name that the supervisor gave it. */
function roleOfChild(pid: number): { name: string; role: SpecifiedRole } | undefined {
  let environment: string;
  try {
    environment = readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return undefined;
  }
  const name = nameOfService(environment);
  const role = name === undefined ? undefined : roleOfService(name);
  return name === undefined || role === undefined ? undefined : { name, role };
}

/** `environment` is the content of /proc/PID/environ: `NAME=value` in a row, each ended by a zero byte. */
export function nameOfService(environment: string): string | undefined {
  const prefix = `${supervisedVariable}=`;
  return environment
    .split("\0")
    .find((variable) => variable.startsWith(prefix))
    ?.slice(prefix.length);
}

function roleOfService(name: string): SpecifiedRole | undefined {
  if (name === "catalog" || name === "front-end") return name;
  return /^order-\d+$/.test(name) ? "replica" : undefined;
}

function manifestOf(folder: string): unknown {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  } catch {
    return undefined;
  }
}

function describeVersion(folder: string): string {
  const version = String(at(manifestOf(folder), "version"));
  const commit = git(folder, "rev-parse", "--short", "HEAD");
  if (commit === undefined) return version;
  const changed = git(folder, "status", "--porcelain", "--untracked-files=no") === "" ? "" : ", changed";
  return `${version}, commit ${commit}${changed}`;
}

/** The output of git; `undefined` if git is missing or fails. */
function git(folder: string, ...args: string[]): string | undefined {
  if (Bun.which("git") === null) return undefined;
  const { exitCode, stdout } = Bun.spawnSync(["git", "-C", folder, ...args], { stderr: "ignore" });
  return exitCode === 0 ? stdout.toString().trim() : undefined;
}
