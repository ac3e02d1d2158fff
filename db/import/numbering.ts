/**
 * Puts the lines of logs in order and gives each order its number: the same for equal lines, as each replica of an earlier
 * system has written them, and 1, 2, 3, … without a gap (I2).
 */

import type { OrderType } from "@stock-bazaar/shared/domain";
import { ImportError } from "./import-error.ts";

/** A line of a log. `source` and `stock` are indexes: millions of these are kept on the disk. */
export interface StagedLine {
  readonly number: number;
  readonly source: number;
  readonly line: number;
  readonly stock: number;
  readonly type: OrderType;
  readonly quantity: number;
}

export interface NumberedLine extends StagedLine {
  /** The order's number in the ledger. */
  readonly id: number;
}

export interface Naming {
  /** Like `orders.csv, line 7`. */
  readonly place: (line: StagedLine) => string;
  /** Like `buy 3 GameStart`. */
  readonly what: (line: StagedLine) => string;
}

const renumber = "`--renumber` numbers all orders anew, in this order, and writes a table of which number became which";

/**
 * `lines` in the order of their numbers; of lines with one number, the first comes first. With `anew`, orders that share
 * a number all count; otherwise throws an ImportError for the first number that is 0, comes after a gap, or is that of
 * different orders.
 */
export function* numberLines(lines: Iterable<StagedLine>, anew: boolean, naming: Naming): Generator<NumberedLine> {
  let id = 0;
  /** The first line with the number of the line before. */
  let first: StagedLine | undefined;
  /** What the lines with that number say, once there are several. */
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
