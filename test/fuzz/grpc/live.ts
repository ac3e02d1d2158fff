/**
 * The state of the bazaar that messages may name. A corpus can't hold it, as it is another one in each run, so inputs have
 * placeholders for it.
 */

import type { Fields } from "./methods.ts";

export interface Live {
  readonly term: number;
  readonly head: number;
  readonly life: string;
  /** The ledger's last order as text; empty if there is none. */
  readonly last: string;
}

/** Replaces `@term`, `@head`, `@life` and `@last`; `@term+1` is the next term. */
export function filledIn(fields: Fields, live: Live): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, filled(value, live)]));
}

function filled(value: unknown, live: Live): unknown {
  if (Array.isArray(value)) return value.map((entry) => filled(entry, live));
  if (typeof value === "object" && value !== null) return filledIn(value as Fields, live);
  switch (value) {
    case "@term":
      return live.term;
    case "@term+1":
      return live.term + 1;
    case "@head":
      return live.head;
    case "@life":
      return live.life;
    case "@last":
      return live.last;
    default:
      return value;
  }
}
