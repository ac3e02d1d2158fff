/** What an error of PostgreSQL or of a connection says. */

/** The SQLSTATE of an error; "" for one that doesn't come from the server. */
export function sqlState(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^[0-9A-Z]{5}$/.test(code) ? code : "";
}

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Without a text: an error that holds one for each address of a host.
  const errors: unknown[] = error instanceof AggregateError ? error.errors : [];
  return error.message || (errors.length === 0 ? error.name : messageOf(errors[0]));
}
