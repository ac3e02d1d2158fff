/**
 * One error class with a closed list of codes. The code decides what a caller may do next; the message
 * is for people; the cause stays inside the process.
 */

export const errorCodes = [
  /** No such stock. */
  "INVALID_STOCKNAME",
  /** Less stock than the buyer asked for. */
  "INSUFFICIENT_QUANTITY",
  /** Malformed input. */
  "INVALID_REQUEST",
  /** No such order. */
  "INVALID_ORDERNUMBER",
  /** The idempotency key belongs to a different request. */
  "KEY_REUSED",
  /** No answer: the outcome is unknown. Retry with the same key (R10). */
  "UNAVAILABLE",
  /** A bug, or a failing disk: the outcome is unknown. */
  "INTERNAL_ERROR",
  /** This replica doesn't lead: nothing was done. Ask who does. */
  "NOT_LEADER",
  /** The term has passed: nothing was done (R2). */
  "FENCED",
  /** Compare-and-set on the term failed: somebody else acquired the lead (R1). */
  "STALE_TERM",
  /** Two histories that should be prefixes of one another are not: nothing was done. A person must decide. */
  "DIVERGED",
  /** A bounded queue is full: nothing was done. */
  "OVERLOADED",
  /** The leader lives, but what it needs doesn't answer: the catalog, or enough copies. The outcome is unknown. */
  "DEPENDENCY_UNAVAILABLE",
  /** The service was reached, but its database is locked or full: nothing was done. */
  "STORAGE_UNAVAILABLE",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export class BazaarError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "BazaarError";
    this.code = code;
  }

  /** Any thrown thing as a BazaarError; what isn't one already becomes `INTERNAL_ERROR`. */
  static from(error: unknown): BazaarError {
    if (error instanceof BazaarError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new BazaarError("INTERNAL_ERROR", message, { cause: error });
  }
}

/**
 * The other side speaks another version of the messages; the error's message says which. UNAVAILABLE, as nothing it says
 * can be understood until the older one is updated.
 */
export class OtherVersionError extends BazaarError {
  constructor(message: string) {
    super("UNAVAILABLE", message);
    this.name = "OtherVersionError";
  }
}

/** A service ends with it after a SetupError; whoever watches over one that has never run doesn't start it again then. */
export const exitSetup = 2;

/** What only a person can mend, said in the message: to start the same again can't help. */
export class SetupError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "SetupError";
  }
}

export function isErrorCode(text: string): text is ErrorCode {
  return (errorCodes as readonly string[]).includes(text);
}

/** May the same trade, with the same key, be sent again and hope for another answer? */
export function isRetryable(code: ErrorCode): boolean {
  switch (code) {
    case "UNAVAILABLE":
    case "NOT_LEADER":
    case "FENCED":
    case "STALE_TERM":
    case "DEPENDENCY_UNAVAILABLE":
    case "STORAGE_UNAVAILABLE":
      return true;
    case "INVALID_STOCKNAME":
    case "INSUFFICIENT_QUANTITY":
    case "INVALID_REQUEST":
    case "INVALID_ORDERNUMBER":
    case "KEY_REUSED":
    case "INTERNAL_ERROR":
    case "DIVERGED":
    case "OVERLOADED":
      return false;
  }
}
