/** What an error of PostgreSQL or of a connection says. */

/** The SQLSTATE of an error; "" for one that doesn't come from the server. */
export function sqlState(error: unknown): string {
  // Errors of sockets have a code too, such as EPIPE, but only the server's have a severity.
  return error instanceof Error && "code" in error && "severity" in error ? String(error.code) : "";
}

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Without a text: an error that holds one for each address of a host.
  const errors: unknown[] = error instanceof AggregateError ? error.errors : [];
  return error.message || (errors.length === 0 ? error.name : messageOf(errors[0]));
}
