/** The reasons of failures: the error codes that a client may see. */

import type { ErrorCode } from "@stock-bazaar/shared/errors";

export const failureReasons = [
  "INVALID_STOCKNAME",
  "INSUFFICIENT_QUANTITY",
  "INVALID_REQUEST",
  "INVALID_ORDERNUMBER",
  "KEY_REUSED",
  "UNAVAILABLE",
  "INTERNAL_ERROR",
] as const satisfies readonly ErrorCode[];

export type FailureReason = (typeof failureReasons)[number];
