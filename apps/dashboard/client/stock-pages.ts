/**
 * Which page of stocks the board shows, in order of names. Pure: the way back is the list of the pages that were shown
 * before.
 */

/** Rows in one page. */
export const pageStocks = 100;

/** Where a page begins: `after` the last stock of the previous page, or `from` a name that was searched for. */
export type PageStart = { readonly after: string } | { readonly from: string };

/** The pages up to the current one, which is the last. Empty if the first stocks are shown. */
export type PagePath = readonly PageStart[];

export function queryOf(path: PagePath): string {
  const start = path[path.length - 1];
  const limit = `limit=${pageStocks}`;
  if (start === undefined) return limit;
  return "after" in start
    ? `${limit}&after=${encodeURIComponent(start.after)}`
    : `${limit}&from=${encodeURIComponent(start.from)}`;
}

/** The page that begins with the typed text; the first page if there is none. */
export function searched(text: string): PagePath {
  const from = text.trim();
  return from === "" ? [] : [{ from }];
}
