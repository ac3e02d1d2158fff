/**
 * What Bun reads before any of our code runs, so that whoever starts a service sets it. A service that is started without
 * does the same, with a little more CPU time.
 */
export const runtimeSettings = {
  // Free memory between what is in use is kept, not given back and asked for again: docs/decisions/0010-free-memory-is-kept.md.
  MIMALLOC_PURGE_HOLES: "0",
} as const;
