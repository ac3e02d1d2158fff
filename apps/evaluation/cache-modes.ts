/** How the front-end's cache can be set in an evaluation. */

export const cacheModes = ["on", "off"] as const;

export type CacheMode = (typeof cacheModes)[number];
