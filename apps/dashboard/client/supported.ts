/**
 * Whether this browser has what the page uses. One without would draw nothing, or stop drawing in the middle; so nothing
 * is begun there, and the line that the page came with stays. What is syntax needs no look: such a script doesn't run.
 */

/** The youngest of them are from Chrome 110, Firefox 115 and Safari 16. */
export function isSupported(): boolean {
  const array: Partial<unknown[]> = [];
  const abort: Partial<typeof AbortSignal> = AbortSignal;
  const has = [array.at, array.findLast, array.toReversed, abort.timeout];
  return has.every((each) => typeof each === "function") && "ResizeObserver" in window && "EventSource" in window;
}
