/** The `ETag` of a stock: `"<life of the ledger>-<revision>"`. */

/** Another catalog behind the same address counts its revisions anew: without its life they would be taken for ours. */
export function stockTag(life: string, rev: number): string {
  return `"${life}-${rev}"`;
}

/**
 * Reads a stock's revision from its tag. A proxy that compresses turns it into a weak tag, and earlier versions left the
 * life out. Returns `undefined` for any other tag and for none.
 */
export function revOfTag(tag: string | null | undefined): number | undefined {
  const rev = /^(?:W\/)?"(?:[^"]*-)?(\d+)"$/.exec(tag ?? "")?.[1];
  return rev === undefined ? undefined : Number(rev);
}
