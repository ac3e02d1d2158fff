/** `bazaar token`: makes and revokes the tokens of the front-ends' clients. */

import type { Scope } from "@stock-bazaar/contract/access";
import { ConfigError, readText } from "@stock-bazaar/process/environment";
import {
  changeTokenFile,
  hashOfToken,
  readTokenFile,
  type TokenFile,
  tokensMax,
  tokensVariable,
} from "@stock-bazaar/process/token-file";
import { CommandError, exitCodes } from "../errors.ts";
import { print } from "../output.ts";

export type TokenAction = "add" | "list" | "revoke";

export interface TokenOptions {
  readonly scopes?: readonly Scope[];
  readonly file?: string;
  readonly json?: boolean;
}

/** Marks a token, so that a person or a scanner that finds one knows what it is. */
const tokenPrefix = "bzr_";
const tokenBytes = 32;

export function token(action: TokenAction, name: string | undefined, options: TokenOptions): void {
  const path = options.file ?? readText(process.env, tokensVariable);
  if (path === undefined)
    throw usage(`--file, or ${tokensVariable}, must name the file of the tokens (neither is set)`);
  if ((name === undefined) !== (action === "list")) {
    throw usage(action === "list" ? "list takes no name" : `${action} needs the name of a token`);
  }
  if ((options.scopes === undefined) !== (action !== "add")) {
    throw usage(action === "add" ? "add needs --scopes, what the token may do" : "--scopes belongs to add alone");
  }
  switch (action) {
    case "add":
      return add(path, name ?? "", options);
    case "revoke":
      return revoke(path, name ?? "", options);
    case "list":
      return list(path, options);
  }
}

function add(path: string, name: string, { scopes = [], json = false }: TokenOptions): void {
  const secret = tokenPrefix + Buffer.from(crypto.getRandomValues(new Uint8Array(tokenBytes))).toString("base64url");
  const sha256 = hashOfToken(secret).toString("hex");
  // A new file lets nobody else in: whoever wants that says so in it.
  change(path, (file = { anonymous: [], tokens: [] }) => {
    if (file.tokens.some((entry) => entry.name === name)) {
      throw new CommandError(`a token's name must be new (${name} has one; revoke it first)`);
    }
    if (file.tokens.length >= tokensMax) throw new CommandError(`${path} must have at most ${tokensMax} tokens`);
    return { ...file, tokens: [...file.tokens, { name, sha256, scopes }] };
  });
  if (json) return print(`${JSON.stringify({ name, scopes, token: secret })}\n`);
  const kept = `Keep it now: it is shown only this once. Clients send it as "Authorization: Bearer …"; bazaar reads BAZAAR_TOKEN.`;
  print(`${secret}\n`);
  process.stderr.write(`The token of ${name} (${scopes.join(", ")}), in ${path}. ${kept}\n`);
}

function revoke(path: string, name: string, { json = false }: TokenOptions): void {
  change(path, (file = readTokenFile(path)) => {
    const tokens = file.tokens.filter((entry) => entry.name !== name);
    if (tokens.length < file.tokens.length) return { ...file, tokens };
    const names = file.tokens.map((entry) => entry.name).join(", ") || "there are none";
    throw new CommandError(`a token to revoke must be in ${path} (got ${name}; there: ${names})`);
  });
  print(json ? `${JSON.stringify({ revoked: name })}\n` : `${name} has no token any more\n`);
}

function list(path: string, { json = false }: TokenOptions): void {
  const { anonymous, tokens } = readTokenFile(path);
  const shown = tokens.map(({ name, scopes }) => ({ name, scopes }));
  if (json) return print(`${JSON.stringify({ anonymous, tokens: shown }, undefined, 2)}\n`);
  const width = Math.max(...shown.map(({ name }) => name.length), "(no token)".length);
  const line = (name: string, scopes: readonly Scope[]) => `${name.padEnd(width)}  ${scopes.join(", ") || "nothing"}\n`;
  print(shown.map(({ name, scopes }) => line(name, scopes)).join("") + line("(no token)", anonymous));
}

function change(path: string, made: (file: TokenFile | undefined) => TokenFile): void {
  try {
    changeTokenFile(path, made);
  } catch (error) {
    if (error instanceof CommandError || error instanceof ConfigError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${path} must be a file that can be written (${why})`);
  }
}

function usage(message: string): CommandError {
  return new CommandError(message, exitCodes.usage);
}
