/**
 * Checks that the browser has the functions that the page uses. Without them the page would draw nothing, or only a
 * part, so the script doesn't start and the initial text stays. Syntax needs no check: a script with unknown syntax
 * doesn't run.
 */

/** The newest of these functions came with Chrome 110, Firefox 115 and Safari 16. */
export function isSupported(): boolean {
  const array: Partial<unknown[]> = [];
  const abort: Partial<typeof AbortSignal> = AbortSignal;
  const has = [array.at, array.findLast, array.toReversed, abort.timeout];
  return has.every((each) => typeof each === "function") && "ResizeObserver" in window;
}
