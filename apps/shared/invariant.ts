/**
 * Assertions that stay on in production.
 *
 * A broken invariant is a bug, and the state of the process can't be trusted any more: the process must end before it
 * passes wrong state on.
 */

import { BazaarError } from "./errors.ts";

export class BrokenInvariant extends BazaarError {
  constructor(message: string) {
    super("INTERNAL_ERROR", message);
    this.name = "BrokenInvariant";
  }
}

let whenBroken: (error: BrokenInvariant) => void = () => {};

/**
 * Sets what happens before a broken invariant throws. A service ends itself here: the error alone might only fail one
 * request.
 */
export function whenInvariantBreaks(action: (error: BrokenInvariant) => void): void {
  whenBroken = action;
}

/**
 * Throws a BrokenInvariant unless `holds`. `rule` is the condition that must hold; `value` and `other` are the values
 * found.
 *
 * Costs one comparison: the message is built only on failure.
 */
export function invariant(holds: boolean, rule: string, value?: unknown, other?: unknown): asserts holds {
  if (holds) return;
  const values = [value, other].filter((one) => one !== undefined).map(String);
  const error = new BrokenInvariant(`must hold: ${rule}${values.length > 0 ? ` (got ${values.join(" and ")})` : ""}`);
  whenBroken(error);
  throw error;
}
