/**
 * `LEDGER_URL`, the address of a ledger on PostgreSQL. It contains a password, so no message shows it as it is.
 */

import { ConfigError, type Environment, readText } from "./environment.ts";

const variable = "LEDGER_URL";
const form = /^(postgres(?:ql)?):\/\/(?:([^/?#]*)@)?([^@/?#]+)\/([^/?#]+)(?:\?([^#]*))?$/;
const hostForm = /^(?:\[[0-9a-f:.]+\]|[^\s:[\]@]+)(?::([1-9]\d{0,4}))?$/i;

/** Throws a ConfigError unless it is not set or a URL of PostgreSQL. */
export function readLedgerUrl(environment: Environment): string | undefined {
  const url = readText(environment, variable);
  if (url === undefined || isLedgerUrl(url)) return url;
  throw wrongLedgerUrl(url, `must be a URL like ${ledgerUrlExample}, or empty for SQLite`);
}

export const ledgerUrlExample = "postgres://user:password@host:5432/database";

export function isLedgerUrl(text: string): boolean {
  const hosts = form.exec(text)?.[3]?.split(",") ?? [""];
  return hosts.every((host) => hostForm.test(host) && Number(hostForm.exec(host)?.[1] ?? 1) <= 65_535);
}

/** The error for a URL with which the ledger can't be used. `must` and `hint` are those of a ConfigError. */
export function wrongLedgerUrl(url: string, must: string, hint?: string): ConfigError {
  return new ConfigError(variable, withoutPassword(url), must, hint);
}

/** The URL as messages show it: without a password and without parameters, which may contain one too. */
export function withoutPassword(url: string): string {
  const parts = form.exec(url);
  if (!parts) return "…";
  const [, scheme, credentials, hosts, database] = parts;
  const user = credentials?.split(":")[0];
  return `${scheme}://${user ? `${user}@` : ""}${hosts}/${database}`;
}

/** A URL for each of the hosts, in their order. */
export function urlsOfHosts(url: string): readonly string[] {
  const [, scheme, credentials, hosts = "", database, parameters] = form.exec(url) ?? [];
  const [before, after] = [credentials === undefined ? "" : `${credentials}@`, parameters ? `?${parameters}` : ""];
  return hosts.split(",").map((host) => `${scheme}://${before}${host}/${database}${after}`);
}
