/**
 * Environment variables that Bun reads before any of our code runs, so the parent process must set them. A service that
 * is started without them behaves the same, with a little more CPU time.
 */
export const runtimeSettings = {
  // Keeps free memory between used blocks, instead of returning it to the system and requesting it again:
  // docs/decisions/0010-free-memory-is-kept.md.
  MIMALLOC_PURGE_HOLES: "0",
} as const;
