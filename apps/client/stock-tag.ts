/**
 * Reads a stock's revision from its `ETag`, `"<life of the ledger>-<revision>"`. A proxy that compresses turns it into
 * a weak tag, and earlier versions left the life out. Returns `undefined` for any other tag and for none.
 */
export function revOfTag(tag: string | null | undefined): number | undefined {
  const rev = /^(?:W\/)?"(?:[^"]*-)?(\d+)"$/.exec(tag ?? "")?.[1];
  return rev === undefined ? undefined : Number(rev);
}
