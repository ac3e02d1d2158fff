/** The names of the dialects: whose routes, statuses and texts a front-end has, its own or those of an earlier system. */

export const dialectNames = ["bazaar", "pyro", "streaming", "toy-store", "pyro-redis"] as const;

export type DialectName = (typeof dialectNames)[number];

export function isDialectName(text: string): text is DialectName {
  return (dialectNames as readonly string[]).includes(text);
}

/** How long one HTTP request may take where REQUEST_TIMEOUT_MS isn't set. The clients of toy-store give up after 5 s. */
export function requestTimeoutDefaultMs(dialect: DialectName): number {
  return dialect === "toy-store" ? 4000 : 10_000;
}

/** Where a front-end of this dialect looks a stock up. */
export function lookupPath(dialect: DialectName, name: string): string {
  return `/${dialect === "toy-store" ? "products" : "stocks"}/${encodeURIComponent(name)}`;
}
