/**
 * Finds the route of a URL. Paths are matched as they were sent, before percent-decoding, so that no encoded slash or
 * broken escape can move a request to another route.
 */

import type { Reply } from "./reply.ts";
import type { Handle, Route } from "./route.ts";

/** The routes that share one method and path. */
export type RouteGroup = readonly [Route, ...Route[]];

/** Throws if the routes of a group differ in access: a request is admitted before its query is read. */
export function groupRoutes(routes: readonly Route[]): RouteGroup[] {
  const groups = new Map<string, [Route, ...Route[]]>();
  for (const route of routes) {
    const key = `${route.method} ${route.path}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [route]);
    else if (group[0].access === route.access) group.push(route);
    else throw new Error(`the routes of ${key} must have one access (got ${group[0].access} and ${route.access})`);
  }
  return [...groups.values()];
}

/** Returns one handler for a group: of the route whose `whenQuery` the URL has, else of the one without `whenQuery`. */
export function handleOf(group: RouteGroup): Handle {
  const [only] = group;
  if (group.length === 1) return (context, requestId) => only.handle(context, requestId);
  const byQuery = group.filter(({ whenQuery }) => whenQuery !== undefined);
  const other = group.find(({ whenQuery }) => whenQuery === undefined) ?? only;
  return (context, requestId) => {
    const asked = byQuery.find(({ whenQuery = "" }) => context.req.query(whenQuery) !== undefined);
    return (asked ?? other).handle(context, requestId);
  };
}

/**
 * Returns the group for a path that lacks its last part (`/stocks/` of `/stocks/:name`). It replies with `refusal`,
 * unless a query on the collection names the missing part, as in `/stocks/?stockname=GameStart`.
 */
export function incomplete(group: RouteGroup, collection: RouteGroup | undefined, refusal: Reply): RouteGroup {
  const [route] = group;
  const byQuery = collection?.filter(({ whenQuery }) => whenQuery !== undefined) ?? [];
  return [{ ...route, handle: () => refusal }, ...byQuery];
}

const slash = 47;
/** A path begins after this many characters of a URL at the earliest: `http://` and a host of one, or `https://` alone. */
const shortestOrigin = "https://".length;

/**
 * Returns the path of a URL, still encoded and without a trailing slash. Only paths in `collections` keep the slash,
 * because it has a meaning there: `/stocks` is the list, `/stocks/` a lookup that lacks its name.
 */
export function pathOf(url: string, collections: ReadonlySet<string>): string {
  // Bun gives a request with an unusable Host header a URL without an origin.
  const start = url.charCodeAt(0) === slash ? 0 : url.indexOf("/", shortestOrigin);
  let end = url.indexOf("?", start);
  if (end === -1) end = url.length;
  const fragment = url.indexOf("#", start);
  if (fragment !== -1 && fragment < end) end = fragment;
  if (end - start < 2 || url.charCodeAt(end - 1) !== slash) return url.slice(start, end);
  const bare = url.slice(start, end - 1);
  return collections.has(bare) ? url.slice(start, end) : bare;
}

/** Returns `/stocks` for `/stocks/:name`, and `undefined` for a path that doesn't end with a parameter. */
export function parentOf(path: string): string | undefined {
  const at = path.lastIndexOf("/:");
  return at === -1 ? undefined : path.slice(0, at);
}
