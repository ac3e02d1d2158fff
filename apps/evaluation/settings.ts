/** What an evaluation can be asked for: for a command line that only has to know what may be said. */

/** How the front-end's cache can be set. */
export const cacheModes = ["on", "off"] as const;
export type CacheMode = (typeof cacheModes)[number];

/** As it was during a measurement: that of a bazaar that runs elsewhere is set there. */
export type CacheSetting = CacheMode | "as it is";

/** Lookups of each client in one measurement; with fewer, the slowest ones tell little. */
export const requestsUsual = 1000;
