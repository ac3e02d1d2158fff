/**
 * The most bytes of one gRPC message, either way.
 *
 * The largest page of the longest rows (`@stock-bazaar/shared/api`) must stay below it: a larger page would never
 * arrive, however often it is requested.
 */
export const messageBytesMax = 16 * 1024 * 1024;
