/**
 * A route as a value: its handler beside its part of the OpenAPI document, so that a change of one is made in sight of
 * the other. `createApp` turns routes into Hono handlers.
 */

import type { Access } from "@stock-bazaar/contract/access";
import type { ResponseHeaderName } from "@stock-bazaar/contract/headers";
import type { Context } from "hono";
import type { ZodType } from "zod";
import type { Failure, Outage } from "./failures.ts";
import { jsonType, type Reply } from "./reply.ts";
import type { RequestId } from "./request.ts";

/** May reject with a BazaarError; the route's `outage` maps it to a 500 or 503. */
export type Handle = (context: Context, requestId: RequestId) => Reply | Promise<Reply>;

export interface Route {
  readonly method: "GET" | "POST";
  /** In Hono's form, without a trailing slash: `/stocks/:name`. */
  readonly path: string;
  /** The query parameter that selects this route among those with the same method and path. */
  readonly whenQuery?: string;
  /** Who may use the route; the same for all routes that share a method and path. */
  readonly access: Access;
  readonly handle: Handle;
  /** Puts a refusal at the door into the words of the route's dialect. Default: as it is. */
  readonly reword?: (refusal: Failure) => Failure;
  /** The replies if `handle` rejects. */
  readonly outage: Outage;
  /** Absent for the files of a page, which aren't part of the API. */
  readonly docs?: RouteDocs;
}

export interface RouteDocs {
  readonly tag: "Stocks" | "Orders" | "Cache" | "Compatibility" | "Operations";
  /** The name in generated clients. Of the routes that share a method and path, only one has it. */
  readonly operationId?: string;
  readonly summary: string;
  /** What the summary leaves open. */
  readonly description?: string;
  readonly parameters?: readonly ParameterDocs[];
  readonly body?: { readonly schema: ZodType; readonly example: object };
  readonly success: SuccessDocs;
  /** The route's own failures. Those of its outage are added unless `alwaysAnswers`. */
  readonly failures: readonly Failure[];
  /** The route answers even if no other service does. */
  readonly alwaysAnswers?: boolean;
}

export interface ParameterDocs {
  readonly in: "path" | "query" | "header";
  readonly name: string;
  readonly description: string;
  /** The parsed value: an integer, for example, although a URL has only text. Any text if absent. */
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
  /** The reply may be a 304, on `If-None-Match`. */
  readonly conditional?: boolean;
}

export function jsonDocs(description: string, schema: ZodType, example: object): SuccessDocs {
  return { description, contentType: jsonType, schema, example };
}

/** Converts `/stocks/:name` to `/stocks/{name}`, as in OpenAPI and in the labels of metrics. */
export function pathTemplate(path: string): string {
  return path.replace(/:(\w+)/g, "{$1}");
}
