/** Observes the state of a promise, for tests that control time. */

import { BazaarError, type ErrorCode } from "@stock-bazaar/shared/errors";

export interface Observed<T> {
  readonly state: "pending" | "resolved" | "rejected";
  readonly value: T | undefined;
  /** The code of the error, if it was rejected. */
  readonly code: ErrorCode | undefined;
}

export function observe<T>(promise: Promise<T>): Observed<T> {
  const observed: { state: Observed<T>["state"]; value: T | undefined; code: ErrorCode | undefined } = {
    state: "pending",
    value: undefined,
    code: undefined,
  };
  promise.then(
    (value) => {
      observed.state = "resolved";
      observed.value = value;
    },
    (error: unknown) => {
      observed.state = "rejected";
      observed.code = BazaarError.from(error).code;
    },
  );
  return observed;
}

/** Resolves with the code of the error with which `promise` rejects. Rejects if `promise` resolves. */
export async function rejectionCode(promise: Promise<unknown>): Promise<ErrorCode> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return BazaarError.from(error).code;
  }
  throw new Error(`the promise must reject (got the value ${JSON.stringify(value)})`);
}
