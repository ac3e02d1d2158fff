/** What has become of a promise so far, for tests that move time themselves and then look. */

import { BazaarError, type ErrorCode } from "@stock-bazaar/shared/errors";

export interface Observed<T> {
  readonly state: "pending" | "resolved" | "rejected";
  readonly value: T | undefined;
  /** The code of the error with which it was rejected. */
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

/** The code of the error with which a promise is rejected; fails if it isn't. */
export async function rejectionCode(promise: Promise<unknown>): Promise<ErrorCode> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return BazaarError.from(error).code;
  }
  throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
}
