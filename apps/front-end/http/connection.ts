/** What a socket adds to a request and its reply. The server passes it to the app as Hono's environment. */
export interface Connection {
  /** The `keep-alive` header of every reply. */
  readonly keepAlive: string;
  /** The address of the client, or of the first proxy that isn't trusted; `undefined` when the socket is closed. */
  addressOf(request: Request): string | undefined;
}
