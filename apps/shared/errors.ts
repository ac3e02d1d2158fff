/**
 * One error class with a closed list of codes.
 *
 * The code decides what a caller may do next; the message is for people; the cause stays inside the process.
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
  /** This replica isn't the leader: nothing was done. The caller must ask the leader. */
  "NOT_LEADER",
  /** This catalog isn't the active one: nothing was done. The caller must find the active catalog (R11). */
  "NOT_ACTIVE",
  /** The term has passed: nothing was done (R2). */
  "FENCED",
  /** Compare-and-set on the term failed: another replica acquired the lead (R1). */
  "STALE_TERM",
  /** Two sequences of orders that should be prefixes of one another are not: nothing was done. A person must decide. */
  "DIVERGED",
  /** A bounded queue is full: nothing was done. */
  "OVERLOADED",
  /** The leader is live, but the catalog doesn't answer it or too few copies exist. The outcome is unknown. */
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

  /** Returns anything thrown as a BazaarError; what isn't one becomes `INTERNAL_ERROR`. */
  static from(error: unknown): BazaarError {
    if (error instanceof BazaarError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new BazaarError("INTERNAL_ERROR", message, { cause: error });
  }
}

/**
 * The other side uses another version of the messages; the error's message names both.
 *
 * Its code is UNAVAILABLE: no message can be understood until the older side is updated.
 */
export class OtherVersionError extends BazaarError {
  constructor(message: string) {
    super("UNAVAILABLE", message);
    this.name = "OtherVersionError";
  }
}

/** Exit code after a SetupError. A supervisor does not restart a service that exits with it on its first run. */
export const exitSetup = 2;

/** A problem that only a person can fix, as the message explains: starting again can't help. */
export class SetupError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "SetupError";
  }
}

export function isErrorCode(text: string): text is ErrorCode {
  return (errorCodes as readonly string[]).includes(text);
}

/** Whether the same trade, sent again with the same key, may get another answer. */
export function isRetryable(code: ErrorCode): boolean {
  switch (code) {
    case "UNAVAILABLE":
    case "NOT_LEADER":
    case "NOT_ACTIVE":
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
