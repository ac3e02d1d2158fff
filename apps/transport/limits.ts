/**
 * What one gRPC message may hold. Every list that crosses a link goes in pages, and the largest page of the longest rows
 * stays below the largest message: a list that doesn't fit would never arrive, however often it is asked for.
 */

/** Either way, in bytes. */
export const messageBytesMax = 16 * 1024 * 1024;

/** Stocks in one page of the list. */
export const stocksPageMax = 1000;
/** Stocks that one call sets back to their quantity. */
export const restockPageMax = 1000;
/** Orders in one page. */
export const ordersPageMax = 5000;
