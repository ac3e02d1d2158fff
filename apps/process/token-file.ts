/**
 * The file that `API_TOKENS_FILE` names: who may use the front-ends, and for what.
 *
 * It holds the SHA-256 of each token, never a token: a copy of the file lets nobody in. Tokens are made by
 * `bazaar token add`, with 256 random bits, so their hashes need no salt and can't be guessed.
 */

import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { type Scope, scopes } from "@stock-bazaar/contract/access";
import { ConfigError } from "./environment.ts";
import { readSmallFile } from "./read-small-file.ts";

export const tokensVariable = "API_TOKENS_FILE";

export interface TokenEntry {
  readonly name: string;
  /** The SHA-256 of the token, as 64 hexadecimal digits in lower case. */
  readonly sha256: string;
  readonly scopes: readonly Scope[];
}

export interface TokenFile {
  /** What a request without a token may do. */
  readonly anonymous: readonly Scope[];
  /** Neither a name nor a hash occurs twice. */
  readonly tokens: readonly TokenEntry[];
}

/** Limit on the file, which a front-end reads while requests wait. */
export const tokensMax = 10_000;
export const tokenNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const tokenNameRule = "1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter or digit";

export function hashOfToken(token: string): Buffer {
  return Buffer.from(new Bun.CryptoHasher("sha256").update(token).digest());
}

/** Throws a ConfigError if the file can't be read or isn't a file of tokens. No message contains what is in it. */
export function readTokenFile(path: string): TokenFile {
  const must = "must be a file of tokens, as `bazaar token add` writes it";
  let text: string;
  try {
    text = readSmallFile(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : "unreadable";
    throw new ConfigError(tokensVariable, path, must, `it can't be read (${why})`);
  }
  try {
    return parseTokenFile(text);
  } catch (error) {
    throw new ConfigError(tokensVariable, path, must, error instanceof Error ? error.message : undefined);
  }
}

/** Throws an Error that names the wrong place, without its value, which could be a token. */
export function parseTokenFile(text: string): TokenFile {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw new Error("it must be JSON");
  }
  const { anonymous = [], tokens } = fieldsOf(file, "the file", ["anonymous", "tokens"]);
  if (!Array.isArray(tokens) || tokens.length > tokensMax) {
    throw new Error(`tokens must be a list of at most ${tokensMax} entries`);
  }
  const entries = tokens.map((entry, index) => parseEntry(entry, `tokens[${index}]`));
  requireOnce(entries, "name");
  requireOnce(entries, "sha256");
  return { anonymous: parseScopes(anonymous, "anonymous"), tokens: entries };
}

function parseEntry(entry: unknown, place: string): TokenEntry {
  const { name, sha256, scopes: granted } = fieldsOf(entry, place, ["name", "sha256", "scopes"]);
  if (typeof name !== "string" || !tokenNamePattern.test(name)) {
    throw new Error(`${place}.name must be ${tokenNameRule}`);
  }
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/i.test(sha256)) {
    throw new Error(`${place}.sha256 must be the SHA-256 of a token, as 64 hexadecimal digits`);
  }
  return { name, sha256: sha256.toLowerCase(), scopes: parseScopes(granted, `${place}.scopes`) };
}

function parseScopes(value: unknown, place: string): Scope[] {
  if (!Array.isArray(value) || !value.every(isScope)) {
    throw new Error(`${place} must be a list of ${scopes.join(", ")}`);
  }
  return scopes.filter((scope) => value.includes(scope));
}

function isScope(value: unknown): value is Scope {
  return scopes.some((scope) => scope === value);
}

/** A misspelt field would silently grant less, or more, than was meant. */
function fieldsOf(value: unknown, place: string, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (
    typeof value !== "object" ||
    value === null ||
    Array.isArray(value) ||
    !Object.keys(value).every((key) => known.includes(key))
  ) {
    throw new Error(`${place} must be an object with the fields ${known.join(", ")}`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function requireOnce(entries: readonly TokenEntry[], field: "name" | "sha256"): void {
  const first = new Map<string, number>();
  for (const [index, { [field]: value }] of entries.entries()) {
    const earlier = first.get(value);
    if (earlier !== undefined) throw new Error(`tokens[${earlier}] and tokens[${index}] must differ in ${field}`);
    first.set(value, index);
  }
}

/**
 * Replaces the file in one step, for its owner's eyes only: a front-end reads the old file or the new one, never a part.
 *
 * `change` gets what is in the file, or `undefined` if there is none. The draft beside the file is made before the file is read,
 * and only one can be: of two commands at once, the second would bring a token back that the first has revoked.
 */
export function changeTokenFile(path: string, change: (file: TokenFile | undefined) => TokenFile): void {
  const target = realPathOf(path);
  const draft = `${target}.new`;
  const descriptor = openDraft(draft);
  try {
    try {
      const isThere = existsSync(target);
      const changed = change(isThere ? readTokenFile(path) : undefined);
      fchmodSync(descriptor, 0o600);
      if (isThere) keepOwner(descriptor, target);
      writeFileSync(descriptor, `${JSON.stringify(changed, undefined, 2)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  // A revoked token must not come back with a power cut.
  const folder = openSync(dirname(target), "r");
  fsyncSync(folder);
  closeSync(folder);
}

function openDraft(draft: string): number {
  try {
    return openSync(draft, "wx", 0o600);
  } catch (error) {
    if (!existsSync(draft)) throw error;
    throw new Error(`another command changes it; if none runs, delete ${draft}`, { cause: error });
  }
}

/** If root changes the file of the front-ends' user, they must be able to read it afterwards: else they keep a revoked token. */
function keepOwner(descriptor: number, target: string): void {
  const { uid, gid } = statSync(target);
  if (uid === process.geteuid?.()) return;
  try {
    fchownSync(descriptor, uid, gid);
  } catch (error) {
    throw new Error("it belongs to another user, who must change it", { cause: error });
  }
}

/** Follows a link to the file: a new file in place of the link would leave the other one as it was. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
