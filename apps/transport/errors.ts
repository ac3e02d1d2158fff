/**
 * Our errors over gRPC. Of a whole call, the status gives the category and a header the exact code; on a stream of calls, a
 * `Failure` stands in the reply.
 */

import * as grpc from "@grpc/grpc-js";
import type { Failure } from "@stock-bazaar/proto/generated/bazaar";
import { BazaarError, type ErrorCode, isErrorCode } from "@stock-bazaar/shared/errors";

export const codeHeader = "bazaar-code";

export function failureToMessage(error: unknown): Failure {
  const { code, message } = BazaarError.from(error);
  return { code, message };
}

export function failureFromMessage({ code, message }: Failure): BazaarError {
  return new BazaarError(isErrorCode(code) ? code : "INTERNAL_ERROR", message);
}

/** The gRPC status for an error, with our code in a header. */
export function statusFromError(error: unknown): { code: grpc.status; details: string; metadata: grpc.Metadata } {
  const { code, message } = BazaarError.from(error);
  const metadata = new grpc.Metadata();
  metadata.set(codeHeader, code);
  return { code: statusOf(code), details: message, metadata };
}

/** The BazaarError for a failed call. */
export function errorFromStatus(error: grpc.ServiceError): BazaarError {
  const sent = error.metadata?.get(codeHeader)[0];
  if (typeof sent === "string" && isErrorCode(sent)) return new BazaarError(sent, error.details);
  switch (error.code) {
    case grpc.status.UNAVAILABLE:
    case grpc.status.DEADLINE_EXCEEDED:
    case grpc.status.CANCELLED:
    // A server that is being killed resets its streams in several ways.
    case grpc.status.INTERNAL:
    case grpc.status.UNKNOWN:
      return new BazaarError("UNAVAILABLE", error.details || error.message, { cause: error });
    case grpc.status.RESOURCE_EXHAUSTED:
      return new BazaarError("INVALID_REQUEST", error.details || error.message, { cause: error });
    default:
      return new BazaarError("INTERNAL_ERROR", error.details || error.message, { cause: error });
  }
}

function statusOf(code: ErrorCode): grpc.status {
  switch (code) {
    case "INVALID_STOCKNAME":
    case "INVALID_ORDERNUMBER":
      return grpc.status.NOT_FOUND;
    case "INVALID_REQUEST":
      return grpc.status.INVALID_ARGUMENT;
    case "INSUFFICIENT_QUANTITY":
    case "KEY_REUSED":
    case "NOT_LEADER":
    case "NOT_ACTIVE":
    case "DIVERGED":
      return grpc.status.FAILED_PRECONDITION;
    case "FENCED":
    case "STALE_TERM":
      return grpc.status.ABORTED;
    case "OVERLOADED":
      return grpc.status.RESOURCE_EXHAUSTED;
    case "UNAVAILABLE":
    case "DEPENDENCY_UNAVAILABLE":
    case "STORAGE_UNAVAILABLE":
      return grpc.status.UNAVAILABLE;
    case "INTERNAL_ERROR":
      return grpc.status.INTERNAL;
  }
}
