/** `npm run certs`: makes a development CA and a certificate for all parts of a bazaar. */

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { withoutBrackets } from "@stock-bazaar/process/addresses";
import { makeAuthority, makeCertificate } from "../certificates.ts";
import { CommandError } from "../errors.ts";
import { print } from "../output.ts";
import { requireWritable } from "../writable.ts";

export interface CertsOptions {
  readonly to: string;
  readonly host?: readonly string[];
}

/** The hosts at which a machine reaches itself. */
const ownHosts = ["localhost", "127.0.0.1", "::1"];
const secretMode = 0o600;
const publicMode = 0o644;

export async function certs({ to, host = [] }: CertsOptions): Promise<void> {
  requireWritable("--to", to, "folder");
  const folder = resolve(to);
  const pathOf = (name: string) => join(folder, name);
  const names = ["ca.pem", "ca-key.pem", "cert.pem", "key.pem"] as const;
  const existing = names.map(pathOf).find((path) => existsSync(path));
  if (existing !== undefined) {
    throw new CommandError(
      `${existing} must not exist yet: a bazaar may be using it (to renew certificates, make new ones in another folder)`,
    );
  }
  const authority = await makeAuthority();
  const own = await makeCertificate(authority, [...new Set([...ownHosts, ...host.map(withoutBrackets)])]);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const write = (name: (typeof names)[number], text: string, mode: number) =>
    writeFileSync(pathOf(name), text, { flag: "wx", mode });
  write("ca-key.pem", authority.key, secretMode);
  write("ca.pem", authority.certificate, publicMode);
  write("key.pem", own.key, secretMode);
  write("cert.pem", own.certificate, publicMode);
  print(`${environmentOf(pathOf).join("\n")}\n`);
}

/** The lines that turn TLS on, in the form that shells and files of variables read. */
function environmentOf(pathOf: (name: string) => string): string[] {
  const line = (variable: string, name: string) => {
    const path = pathOf(name);
    return `${variable}=${/^[\w/.,:@+-]+$/.test(path) ? path : JSON.stringify(path)}`;
  };
  return [
    line("TLS_CA", "ca.pem"),
    line("TLS_CERT", "cert.pem"),
    line("TLS_KEY", "key.pem"),
    line("FRONTEND_TLS_CERT", "cert.pem"),
    line("FRONTEND_TLS_KEY", "key.pem"),
    line("BAZAAR_CA", "ca.pem"),
  ];
}
