/**
 * The most bytes of one gRPC message, either way.
 *
 * The largest page of the longest rows (`@stock-bazaar/shared/api`) must stay below it: a larger page would never
 * arrive, however often it is requested.
 */
export const messageBytesMax = 16 * 1024 * 1024;

/**
 * How often each side pings the other, and how long it waits for an answer.
 *
 * Otherwise a connection that breaks silently (a machine without power, a firewall that forgets) would stay open: for
 * ever while nothing is sent, else until the kernel gives up after a quarter of an hour.
 */
export const keepaliveMs = 3000;
