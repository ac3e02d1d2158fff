/** The settings of an evaluation, apart from its code, so that the command line's `--help` doesn't load it. */

/** Settings of the front-end's cache. */
export const cacheModes = ["on", "off"] as const;
export type CacheMode = (typeof cacheModes)[number];

/** The setting during a measurement; "as it is" for a bazaar that this command didn't start. */
export type CacheSetting = CacheMode | "as it is";

/** Lookups of each client in one measurement. With fewer, the figures of the slowest requests are unreliable. */
export const requestsUsual = 1000;
