import { describe, expect, test } from "vitest";
import { BazaarError, errorCodes, isErrorCode, isRetryable } from "./errors.ts";

describe("errors", () => {
  test("a BazaarError is returned as it is, anything else becomes INTERNAL_ERROR with its cause", () => {
    const known = new BazaarError("FENCED", "late");
    expect(BazaarError.from(known)).toBe(known);
    const cause = new TypeError("a bug");
    expect(BazaarError.from(cause)).toMatchObject({ code: "INTERNAL_ERROR", message: "a bug", cause });
    expect(BazaarError.from("text").message).toBe("text");
  });

  test("only errors that another attempt may avoid are retried", () => {
    const retryable = errorCodes.filter(isRetryable);
    expect(retryable).toEqual([
      "UNAVAILABLE",
      "NOT_LEADER",
      "NOT_ACTIVE",
      "FENCED",
      "STALE_TERM",
      "DEPENDENCY_UNAVAILABLE",
      "STORAGE_UNAVAILABLE",
    ]);
  });

  test("a text is a code only if it is in the list", () => {
    expect([isErrorCode("FENCED"), isErrorCode("toString"), isErrorCode("")]).toEqual([true, false, false]);
  });
});
