/** Who may use a route. Each route names one level; the OpenAPI document repeats it as `x-access`. */

/** What a token may do. None includes another one. */
export const scopes = ["read", "trade", "admin"] as const;

export type Scope = (typeof scopes)[number];

export const accessLevels = ["open", ...scopes] as const;

/**
 * `open`: everyone, also a load balancer, or a browser that opens a page. `read`: clients that look at stocks, orders and
 * the state of the bazaar. `trade`: clients that buy and sell. `admin`: the people who run the bazaar.
 */
export type Access = (typeof accessLevels)[number];
