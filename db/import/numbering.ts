/**
 * Gives each order its number: 1, 2, 3, … without a gap (I2). Equal lines are one order: each replica of an earlier
 * system has written it to its own log.
 */

import type { OrderType } from "@stock-bazaar/shared/domain";
import { ImportError } from "./import-error.ts";

/** A line of a log. `source` and `stock` are indexes, to keep millions of lines on the disk small. */
export interface StagedLine {
  readonly number: number;
  readonly source: number;
  readonly line: number;
  readonly stock: number;
  readonly type: OrderType;
  readonly quantity: number;
}

export interface NumberedLine extends StagedLine {
  /** The order's id in the ledger. */
  readonly id: number;
}

export interface Naming {
  /** The place of a line, like `orders.csv, line 7`. */
  readonly place: (line: StagedLine) => string;
  /** The order on a line, like `buy 3 GameStart`. */
  readonly what: (line: StagedLine) => string;
}

const renumber = "`--renumber` gives all orders new numbers in this sequence and writes a table of old and new numbers";

/**
 * Numbers `lines`, which must be sorted by their numbers, and drops repeated lines. With `anew`, different orders that
 * share a number all count. Otherwise it throws an ImportError for the first number that is 0, follows a gap, or
 * belongs to different orders.
 */
export function* numberLines(lines: Iterable<StagedLine>, anew: boolean, naming: Naming): Generator<NumberedLine> {
  let id = 0;
  /** The first line that has the previous line's number. */
  let first: StagedLine | undefined;
  /** The contents of all lines with that number, once there are several lines. */
  let contents: Set<string> | undefined;
  for (const line of lines) {
    if (first?.number !== line.number) {
      if (!anew && line.number !== id + 1) throw wrongNumber(line, id + 1, naming);
      first = line;
      contents = undefined;
    } else {
      contents ??= new Set([contentOf(first)]);
      if (contents.has(contentOf(line))) continue;
      if (!anew) throw usedTwice(line, first, naming);
      contents.add(contentOf(line));
    }
    id += 1;
    yield { ...line, id };
  }
}

function contentOf({ stock, type, quantity }: StagedLine): string {
  return `${type} ${quantity} ${stock}`;
}

function usedTwice(line: StagedLine, first: StagedLine, { place, what }: Naming): ImportError {
  return new ImportError(
    `${place(line)}: order ${line.number} must be "${what(first)}", as in ${place(first)} (got "${what(line)}"). ${renumber}`,
  );
}

function wrongNumber(line: StagedLine, expected: number, { place }: Naming): ImportError {
  const must =
    line.number === 0
      ? "order numbers must start at 1 (got 0)"
      : `the next order must have the number ${expected} (got ${line.number})`;
  return new ImportError(`${place(line)}: ${must}. ${renumber}`);
}
