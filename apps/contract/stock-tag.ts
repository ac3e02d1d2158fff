/** The `ETag` of a stock: `"<life of the ledger>-<revision>"`. */

/** The life distinguishes the revisions of one catalog from those of another behind the same address. */
export function stockTag(life: string, rev: number): string {
  return `"${life}-${rev}"`;
}

/**
 * Reads a stock's revision from its tag. A proxy that compresses turns it into a weak tag, and earlier versions left
 * the life out. Returns `undefined` for any other tag and for none.
 */
export function revOfTag(tag: string | null | undefined): number | undefined {
  const rev = /^(?:W\/)?"(?:[^"]*-)?(\d+)"$/.exec(tag ?? "")?.[1];
  return rev === undefined ? undefined : Number(rev);
}
