/** What a socket adds to a request and its reply. The server passes it to the app as Hono's environment. */
export interface Connection {
  /**
   * The header that says how long the connection stays open, or that it is to be closed. It changes once, also for requests
   * that have arrived before.
   */
  readonly persistence: readonly [name: "keep-alive" | "connection", value: string];
  /** The address of the client, or of the first proxy that isn't trusted; `undefined` when the socket is closed. */
  addressOf(request: Request): string | undefined;
  /** Closes the connection within seconds unless the client reads what it was sent. */
  endSoon(request: Request): void;
}
