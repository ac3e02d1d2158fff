/**
 * The results of checking a ledger (I1, I2, I3), as `verify` reports them, and the arithmetic of I1. A store reads the
 * rows and the sums; this module compares them, so every store is checked by the same rules.
 */

export interface Check {
  readonly promise: "I1" | "I2" | "I3";
  /** The database that was checked. */
  readonly file: string;
  /** A description of what was checked. */
  readonly what: string;
  /** `unread` if the database can't be read: the promise may or may not hold. */
  readonly outcome: "kept" | "broken" | "unread";
  /** Lines for people, the most useful first: what is broken, or why it can't be read. Empty if the promise holds. */
  readonly differences: readonly string[];
  /** What a person should know although the promise holds. */
  readonly note?: string;
}

/** A replica's file, which must hold a prefix of the ledger (I3). */
export interface ReplicaCopy {
  readonly id: number;
  readonly file: string;
}

export interface Finding {
  readonly what: string;
  readonly differences: readonly string[];
}

/** The most differences that one check reports: further ones rarely add information. */
export const differencesMax = 10;

/**
 * Runs one check. If `look` rejects, the check is `unread` and `why` turns the error into its message: a damaged page
 * is found only when it is read.
 */
export async function checked(
  promise: Check["promise"],
  file: string,
  look: () => Promise<Finding>,
  why: (error: unknown) => string,
): Promise<Check> {
  try {
    const { what, differences } = await look();
    const outcome = differences.length === 0 ? "kept" : "broken";
    return { promise, file, what, outcome, differences: differences.slice(0, differencesMax) };
  } catch (error) {
    return unread(promise, file, why(error));
  }
}

export function unread(promise: Check["promise"], file: string, why: string): Check {
  return { promise, file, what: "not checked", outcome: "unread", differences: [why] };
}

/** Sums over the ledger's orders of one stock. */
export interface Moved {
  bought: number;
  sold: number;
  restocked: number;
  /** The id of the stock's last order. */
  rev: number;
}

/** A stock as it is stored. A column is null if its table lacks the stock. */
export interface StockRow {
  readonly name: string;
  readonly quantity: number | null;
  readonly volume: number | null;
  readonly rev: number | null;
  /** The initial quantity. */
  readonly initial: number | null;
}

/** I1: initial − bought + sold + restocked = quantity ≥ 0; volume = bought + sold; rev is the stock's last order. */
export function checkQuantities(
  store: string,
  stocks: readonly StockRow[],
  ledger: ReadonlyMap<string, Moved>,
): Finding {
  const differences: string[] = [];
  const explained = new Set<string>();
  for (const stock of stocks) {
    explained.add(stock.name);
    if (differences.length < differencesMax)
      differences.push(...stockDifferences(store, stock, ledger.get(stock.name)));
  }
  for (const [name, { rev }] of ledger) {
    if (differences.length >= differencesMax) break;
    if (!explained.has(name))
      differences.push(`${store}, order ${rev} trades ${JSON.stringify(name)}, which is not a stock`);
  }
  return { what: `the ledger explains the quantities of ${stocks.length} stocks`, differences };
}

function stockDifferences(store: string, stock: StockRow, moved: Moved | undefined): string[] {
  const { name, quantity, volume, rev, initial } = stock;
  const { bought, sold, restocked, rev: lastOrder } = moved ?? { bought: 0, sold: 0, restocked: 0, rev: 0 };
  const place = `${store}, stock ${JSON.stringify(name)}`;
  if (quantity === null) return [`${place} is in initial_stocks, but not in stocks`];
  if (initial === null) return [`${place} is in stocks, but not in initial_stocks`];
  const explained = initial - bought + sold + restocked;
  const differences: string[] = [];
  if (quantity !== explained) {
    const sum = `${initial} initial − ${bought} bought + ${sold} sold + ${restocked} restocked = ${explained}`;
    differences.push(`${place}, column quantity must be ${sum} (got ${quantity})`);
  }
  if (quantity < 0) differences.push(`${place}, column quantity must be at least 0 (got ${quantity})`);
  if (volume !== bought + sold) {
    const sum = `${bought} bought + ${sold} sold = ${bought + sold}`;
    differences.push(`${place}, column volume must be ${sum} (got ${volume})`);
  }
  if (rev !== lastOrder)
    differences.push(`${place}, column rev must be the stock's last order, ${lastOrder} (got ${rev})`);
  return differences;
}
