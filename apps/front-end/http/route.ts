/**
 * A route as a value: how it answers, and all that the OpenAPI document says of it, side by side, so that
 * neither is changed without the other in sight. `createApp` turns these into Hono handlers.
 */

import type { Access } from "@stock-bazaar/contract/access";
import type { ResponseHeaderName } from "@stock-bazaar/contract/headers";
import type { Context } from "hono";
import type { ZodType } from "zod";
import type { Failure, Outage } from "./failures.ts";
import { jsonType, type Reply } from "./reply.ts";

/** Rejects with whatever the bazaar rejects with; the route's outage then says it. */
export type Handle = (context: Context, requestId: string) => Reply | Promise<Reply>;

export interface Route {
  readonly method: "GET" | "POST";
  /** In Hono's form, without a trailing slash: `/stocks/:name`. */
  readonly path: string;
  /** Of several routes with the same method and path: taken when the URL has this query parameter. */
  readonly whenQuery?: string;
  /** Who may use it; one for all routes that share a method and path. */
  readonly access: Access;
  readonly handle: Handle;
  /** What is said when `handle` rejects. */
  readonly outage: Outage;
  /** Absent for the parts of a page, which nobody calls by themselves. */
  readonly docs?: RouteDocs;
}

export interface RouteDocs {
  readonly tag: "Stocks" | "Orders" | "Cache" | "Compatibility" | "Operations";
  /** Its name in programs that are made from the document; a route that shares its method and path has none. */
  readonly operationId?: string;
  readonly summary: string;
  /** What the summary leaves open. */
  readonly description?: string;
  readonly parameters?: readonly ParameterDocs[];
  readonly body?: { readonly schema: ZodType; readonly example: object };
  readonly success: SuccessDocs;
  /** The failures that are the route's own; those of its outage are added, unless it always answers. */
  readonly failures: readonly Failure[];
  /** There is an answer whatever has become of the other services. */
  readonly alwaysAnswers?: boolean;
}

export interface ParameterDocs {
  readonly in: "path" | "query" | "header";
  readonly name: string;
  readonly description: string;
  /** As it is after reading: an integer, though a URL has only text. Any text if absent. */
  readonly schema?: ZodType;
  readonly example?: string | number;
}

export interface SuccessDocs {
  readonly description: string;
  readonly contentType: string;
  /** Any text if absent. */
  readonly schema?: ZodType;
  readonly example: unknown;
  readonly headers?: readonly ResponseHeaderName[];
  /** 304 for a client that has it already. */
  readonly conditional?: boolean;
}

export function jsonDocs(description: string, schema: ZodType, example: object): SuccessDocs {
  return { description, contentType: jsonType, schema, example };
}

/** `/stocks/:name` as people and OpenAPI write it: `/stocks/{name}`. Also the label of its metrics. */
export function pathTemplate(path: string): string {
  return path.replace(/:(\w+)/g, "{$1}");
}
