/**
 * The number of a stock's last change, from its `ETag`: `"<life of the catalog>-<number>"`. A proxy that compresses makes a
 * weak tag of it, and a bazaar of before left the life out. `undefined`: another tag, or none.
 */
export function revOfTag(tag: string | null | undefined): number | undefined {
  const rev = /^(?:W\/)?"(?:[^"]*-)?(\d+)"$/.exec(tag ?? "")?.[1];
  return rev === undefined ? undefined : Number(rev);
}
