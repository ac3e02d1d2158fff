/**
 * What the fuzzer sends. An input is plain data, so that a file can keep it (`corpus/`), and a text in it is readable.
 *
 * Bytes are text in Latin-1: each character is one byte.
 */

import type { DialectName } from "@stock-bazaar/contract/dialects";

/** `leader` is the replica that leads at that moment. */
export type GrpcService = "catalog" | "order-1" | "order-2" | "order-3" | "leader";

/** One well-framed HTTP/1.1 request, on a connection that others use before and after it: it must be answered. */
export interface HttpInput {
  readonly kind: "http";
  /** The front-end with this dialect. */
  readonly to: DialectName;
  readonly request: string;
}

/**
 * Any bytes on a connection of their own. Each part leaves in a packet of its own if the kernel likes. Then the client
 * waits a moment for a reply and closes its side, or resets the connection without waiting.
 */
export interface BytesInput {
  readonly kind: "bytes";
  readonly to: DialectName | GrpcService;
  readonly parts: readonly string[];
  readonly end: "close" | "reset";
}

/** One call over HTTP/2, whose frames are valid; what is in them needn't be. */
export interface GrpcInput {
  readonly kind: "grpc";
  readonly to: GrpcService;
  /** `/bazaar.v1.Catalog/Apply`, or a path that no method has. */
  readonly path: string;
  /** Headers in place of the usual ones. The empty text leaves one out. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly messages: readonly GrpcMessage[];
  /** `end` closes the client's side after the messages; `cancel` ends the call without waiting for its status. */
  readonly end: "end" | "cancel";
}

export interface GrpcMessage {
  /** The message's fields by name. `@term`, `@head`, `@life` and `@last` become those of the moment (`live.ts`). */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** The encoded message, instead of fields. */
  readonly bytes?: string;
  /** Changes of the encoded message. They are skipped if the message would become a tripwire (`tripwires.ts`). */
  readonly changes?: readonly Change[];
  /** The byte before the length: 0 is an uncompressed message. Default: 0. */
  readonly flag?: number;
  /** The length that is announced. Default: the message's own. */
  readonly length?: number;
}

/** A change at a place from 0 to 1 of a text: removes some bytes there, then inserts others. */
export interface Change {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

export type Input = HttpInput | BytesInput | GrpcInput;

export function changed(text: string, changes: readonly Change[] = []): string {
  return changes.reduce((before, { at, remove, insert }) => {
    const place = Math.floor(at * before.length);
    return before.slice(0, place) + insert + before.slice(place + remove);
  }, text);
}
