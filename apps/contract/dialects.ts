/** The dialects: each is a set of routes, statuses and texts, the bazaar's own or those of an earlier system. */

export const dialectNames = ["bazaar", "pyro", "streaming", "toy-store", "pyro-redis"] as const;

export type DialectName = (typeof dialectNames)[number];

export function isDialectName(text: string): text is DialectName {
  return (dialectNames as readonly string[]).includes(text);
}

/** The default of REQUEST_TIMEOUT_MS, in milliseconds. The clients of toy-store give up after 5 s. */
export function requestTimeoutDefaultMs(dialect: DialectName): number {
  return dialect === "toy-store" ? 4000 : 10_000;
}

/** The path of a stock lookup in this dialect. */
export function lookupPath(dialect: DialectName, name: string): string {
  return `/${dialect === "toy-store" ? "products" : "stocks"}/${encodeURIComponent(name)}`;
}
