/**
 * Which of the stocks the board shows, where there are more than a person can look through: a page of them, by name. Pure:
 * the way back is the list of the pages that were seen before.
 */

/** Rows in one page. */
export const pageStocks = 100;

/** Where a page begins: `after` the last stock of the one before it, or `from` a name that was searched for. */
export type PageStart = { readonly after: string } | { readonly from: string };

/** Every page on the way to the one that is shown, which is the last; empty: the first stocks are shown. */
export type PagePath = readonly PageStart[];

export function queryOf(path: PagePath): string {
  const start = path[path.length - 1];
  const limit = `limit=${pageStocks}`;
  if (start === undefined) return limit;
  return "after" in start
    ? `${limit}&after=${encodeURIComponent(start.after)}`
    : `${limit}&from=${encodeURIComponent(start.from)}`;
}

/** The page that begins with what was typed; nothing typed means the first. */
export function searched(text: string): PagePath {
  const from = text.trim();
  return from === "" ? [] : [{ from }];
}
