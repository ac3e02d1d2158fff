/**
 * Who sends a request, by its `Authorization: Bearer` header.
 *
 * A presented token is hashed once, and only hashes are compared, in constant time: how long a refusal takes says
 * nothing about a token.
 */

import { timingSafeEqual } from "node:crypto";
import type { Scope } from "@stock-bazaar/contract/access";
import type { TokenFile } from "@stock-bazaar/process/token-file";

/** Who a token belongs to, and what it may do. */
export interface Client {
  /** `undefined` for a request without a token. */
  readonly name: string | undefined;
  readonly scopes: ReadonlySet<Scope>;
}

interface Known extends Client {
  readonly hash: Buffer;
}

const hashBytes = 32;
const bearer = /^bearer +([\x21-\x7e]+) *$/i;

export class Tokens {
  readonly #anonymous: Client;
  /** By the first four bytes of the hash, which are no secret: no token can be made to have a wanted hash. */
  readonly #known = new Map<number, Known[]>();
  /** Holds the hash of the token of one request: a new buffer, and a hasher, would double the cost of a token. */
  readonly #presented = Buffer.alloc(hashBytes);

  constructor({ anonymous, tokens }: TokenFile) {
    this.#anonymous = { name: undefined, scopes: new Set(anonymous) };
    for (const { name, sha256, scopes } of tokens) {
      const hash = Buffer.from(sha256, "hex");
      const key = hash.readUInt32BE();
      this.#known.set(key, [...(this.#known.get(key) ?? []), { name, scopes: new Set(scopes), hash }]);
    }
  }

  /** The client with this `Authorization` header; `undefined` if it names no known token. */
  clientOf(authorization: string | null): Client | undefined {
    if (authorization === null) return this.#anonymous;
    const token = bearer.exec(authorization)?.[1];
    if (token === undefined) return undefined;
    const hash = this.#presented;
    Bun.SHA256.hash(token, hash);
    let found: Client | undefined;
    for (const known of this.#known.get(hash.readUInt32BE()) ?? []) {
      if (timingSafeEqual(known.hash, hash)) found = known;
    }
    return found;
  }
}
