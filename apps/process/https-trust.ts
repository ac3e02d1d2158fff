/**
 * Which front-ends this process believes to be what they say when it calls them over HTTPS: by default those with a
 * certificate of a public CA or of one in the file that BAZAAR_CA names.
 */

import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { ConfigError, type Environment, readText } from "./environment.ts";

/** Options of a TLS connection, in the form that `node:tls`, `node:https` and `fetch` share. */
export interface HttpsTrust {
  readonly ca?: string[];
  readonly rejectUnauthorized?: false;
}

let trust: HttpsTrust | undefined;

export function httpsTrust(): HttpsTrust {
  trust ??= trustOf(process.env);
  return trust;
}

/** Throws a ConfigError if BAZAAR_CA names a file without certificates. */
export function trustOf(environment: Environment): HttpsTrust {
  const path = readText(environment, "BAZAAR_CA");
  return path === undefined ? {} : { ca: [...rootCertificates, certificatesIn("BAZAAR_CA", path)] };
}

/** Believes the CAs in a file too, in place of BAZAAR_CA. `option` named it. Throws a ConfigError like `trustOf`. */
export function trustCa(option: string, path: string): void {
  trust = { ca: [...rootCertificates, certificatesIn(option, path)] };
}

/**
 * For a process that calls only the front-ends that it has started on this machine, and sends them no secret: their
 * certificate need not name the address at which this machine reaches them.
 */
export function trustOwnFrontEnds(): void {
  trust = { rejectUnauthorized: false };
}

function certificatesIn(variable: string, path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new ConfigError(variable, path, "must be a file that this user can read", reason);
  }
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new ConfigError(variable, path, "must be a file with certificates in PEM form");
}
