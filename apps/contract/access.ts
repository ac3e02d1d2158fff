/** Who may use a route. Each route names one level; the OpenAPI document repeats it as `x-access`. */

export const accessLevels = ["open", "read", "trade", "admin"] as const;

/**
 * `open`: everyone, also a load balancer, or a browser that opens a page. `read`: clients that look at stocks, orders and
 * the state of the bazaar. `trade`: clients that buy and sell. `admin`: the people who run the bazaar.
 */
export type Access = (typeof accessLevels)[number];
