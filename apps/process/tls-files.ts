/**
 * The PEM files of TLS: those that the services show each other, and those of the front-ends' HTTPS.
 *
 * They are checked when they are loaded: a wrong file would otherwise show only as connections that fail, in the log of
 * another process. No message contains what is in a file.
 */

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { ConfigError, type Environment, readText } from "./environment.ts";
import { readSmallFile } from "./read-small-file.ts";

/** The paths of a certificate, followed by those that lead from it to its CA, and of its key. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** The files with which the services prove to each other who they are. */
export interface TlsFiles extends CertificateFiles {
  /** The certificates of the CAs that a peer's certificate may be signed by. */
  readonly ca: string;
}

/** PEM texts that fit together. */
export interface CertificateTexts {
  readonly certificate: string;
  readonly key: string;
  /** The wall clock from which on it is refused, in milliseconds since 1970. */
  readonly expiresMs: number;
}

/** Who this process is, and whom it believes. */
export interface TlsIdentity extends CertificateTexts {
  readonly ca: string;
}

const links = { ca: "TLS_CA", certificate: "TLS_CERT", key: "TLS_KEY" } as const;
const https = { certificate: "FRONTEND_TLS_CERT", key: "FRONTEND_TLS_KEY" } as const;

type Variables = Readonly<Record<keyof CertificateFiles, string>>;

/** For servers and for clients, as numbers of extended key usages: a service is both. */
const purposes = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"];
const chainMax = 10;

/** `undefined` if the links between the services are plain. Throws a ConfigError if only some of the files are named. */
export function readTlsFiles(environment: Environment): TlsFiles | undefined {
  return readTogether(environment, links);
}

/** `undefined` if the front-ends serve plain HTTP. Throws a ConfigError if only one of the files is named. */
export function readHttpsFiles(environment: Environment): CertificateFiles | undefined {
  return readTogether(environment, https);
}

/** The variables of TLS that are set, for processes that get no others of this one's. */
export function tlsVariables(environment: Environment): Readonly<Record<string, string>> {
  const all = [...Object.values(links), ...Object.values(https)];
  return Object.fromEntries(
    all.flatMap((variable) => {
      const path = readText(environment, variable);
      return path === undefined ? [] : [[variable, resolve(path)]];
    }),
  );
}

function readTogether<Part extends string>(
  environment: Environment,
  variables: Readonly<Record<Part, string>>,
): Readonly<Record<Part, string>> | undefined {
  const parts = Object.entries<string>(variables);
  const found = parts.flatMap(([part, variable]) => {
    const path = readText(environment, variable);
    return path === undefined ? [] : [[part, path] as const];
  });
  if (found.length === 0) return undefined;
  const missing = parts.find(([part]) => !found.some(([present]) => present === part));
  if (missing) {
    const all = Object.values<string>(variables).join(", ");
    throw new ConfigError(missing[1], undefined, `must name a file, because ${all} work only together`);
  }
  return Object.freeze(Object.fromEntries(found)) as Readonly<Record<Part, string>>;
}

/**
 * Loads the identity of a service; returns `known` if the files still hold it. Throws a ConfigError that names the file
 * with which no peer would be reached.
 */
export function loadIdentity({ ca: caFile, ...files }: TlsFiles, nowMs: number, known?: TlsIdentity): TlsIdentity {
  const ca = read(links.ca, caFile);
  const pair = readPair(files, links);
  if (known?.ca === ca && known.certificate === pair.certificate && known.key === pair.key) return known;
  const authorities = certificatesIn(links.ca, caFile, ca);
  const { texts, chain } = checkedPair(pair, files, links, nowMs);
  const [own] = chain;
  const usages: readonly string[] | undefined = own.keyUsage;
  if (usages?.length && !purposes.every((purpose) => usages.includes(purpose))) {
    const must = "must be a certificate for servers and for clients (extendedKeyUsage = serverAuth, clientAuth)";
    throw new ConfigError(links.certificate, files.certificate, must);
  }
  const signers = signersOf(chain, authorities);
  if (signers.length === 0) {
    const must = `must be signed by a certificate in ${links.ca}, which is ${caFile}`;
    throw new ConfigError(links.certificate, files.certificate, must);
  }
  const caExpiresMs = Math.max(...signers.map(expiryOf));
  if (caExpiresMs <= nowMs) throw expired(links.ca, caFile, caExpiresMs);
  return { ...texts, ca, expiresMs: Math.min(texts.expiresMs, caExpiresMs) };
}

/** Loads the certificate of the front-ends. Throws a ConfigError if they can't use it. */
export function loadHttps(files: CertificateFiles, nowMs: number): CertificateTexts {
  return checkedPair(readPair(files, https), files, https, nowMs).texts;
}

type Chain = readonly [X509Certificate, ...X509Certificate[]];

type Pair = Pick<CertificateTexts, "certificate" | "key">;

function readPair(files: CertificateFiles, variables: Variables): Pair {
  return { certificate: read(variables.certificate, files.certificate), key: read(variables.key, files.key) };
}

function checkedPair(
  { certificate, key }: Pair,
  files: CertificateFiles,
  variables: Variables,
  nowMs: number,
): { readonly texts: CertificateTexts; readonly chain: Chain } {
  const chain = certificatesIn(variables.certificate, files.certificate, certificate);
  if (!chain[0].checkPrivateKey(keyIn(variables.key, files.key, key))) {
    const must = `must be the key of the first certificate in ${variables.certificate}, which is ${files.certificate}`;
    throw new ConfigError(variables.key, files.key, must);
  }
  const beginMs = Date.parse(chain[0].validFrom);
  if (beginMs > nowMs) {
    const hint = "this machine's clock may be wrong";
    throw new ConfigError(variables.certificate, files.certificate, `must be valid since ${day(beginMs)}`, hint);
  }
  const expiresMs = Math.min(...chain.map(expiryOf));
  if (expiresMs <= nowMs) throw expired(variables.certificate, files.certificate, expiresMs);
  return { texts: { certificate, key, expiresMs }, chain };
}

function expired(variable: string, path: string, atMs: number): ConfigError {
  return new ConfigError(variable, path, `must hold a valid certificate, but it expired on ${day(atMs)}`);
}

/** The certificates among `authorities` that have signed the last link of the chain. */
function signersOf(chain: Chain, authorities: readonly X509Certificate[]): readonly X509Certificate[] {
  let [link] = chain;
  for (let length = 1; length <= chainMax; length += 1) {
    const signed = (by: X509Certificate) => link.checkIssued(by) && link.verify(by.publicKey);
    const found = authorities.filter(signed);
    if (found.length > 0) return found;
    const next = chain.find((other) => other !== link && signed(other));
    if (!next) return [];
    link = next;
  }
  return [];
}

/** In the order of the file: at least one. */
function certificatesIn(variable: string, path: string, text: string): Chain {
  const wrong = () => new ConfigError(variable, path, "must be a file with certificates in PEM form");
  const [first, ...others] = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (first === undefined) throw wrong();
  try {
    return [new X509Certificate(first), ...others.map((pem) => new X509Certificate(pem))];
  } catch {
    throw wrong();
  }
}

function keyIn(variable: string, path: string, text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    // The reason could contain parts of the file.
    throw new ConfigError(variable, path, "must be a file with a private key in PEM form, without a passphrase");
  }
}

function read(variable: string, path: string): string {
  try {
    return readSmallFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(variable, path, "must be a file that this user can read", reason);
  }
}

function expiryOf(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo);
}

function day(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}
