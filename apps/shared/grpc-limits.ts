/** The largest gRPC message either way, in bytes: a catch-up chunk or a batch of trades is far below it. */
export const messageBytesMax = 16 * 1024 * 1024;
