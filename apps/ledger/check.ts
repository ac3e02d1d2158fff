/**
 * What `verify` reports of a ledger (I1, I2, I3), and the arithmetic of I1: whatever a store is made of, it reads rows and
 * sums, and what they must agree on is decided here.
 */

export interface Check {
  readonly promise: "I1" | "I2" | "I3";
  /** The database that was checked. */
  readonly file: string;
  /** What was looked at. */
  readonly what: string;
  /** `unread`: it couldn't be read, so it isn't known whether the promise holds. */
  readonly outcome: "kept" | "broken" | "unread";
  /** Readable lines, the most telling first: what is broken, or why it couldn't be read. None: the promise holds. */
  readonly differences: readonly string[];
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

/** More differences of one check help nobody. */
export const differencesMax = 10;

/** `why` explains what `look` rejects with: a damaged page is only found by reading it. */
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

/** What the ledger's orders of one stock add up to. */
export interface Moved {
  bought: number;
  sold: number;
  restocked: number;
  /** The id of its last order. */
  rev: number;
}

/** A stock as it is stored; null: it is missing there. */
export interface StockRow {
  readonly name: string;
  readonly quantity: number | null;
  readonly volume: number | null;
  readonly rev: number | null;
  /** What it began with. */
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
      differences.push(`${store}, order ${rev} is of ${JSON.stringify(name)}, which is no stock`);
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
    const sum = `${initial} at first − ${bought} bought + ${sold} sold + ${restocked} restocked = ${explained}`;
    differences.push(`${place}, column quantity: ${quantity}, but the ledger says ${sum}`);
  }
  if (quantity < 0) differences.push(`${place}, column quantity: ${quantity}, which is below zero`);
  if (volume !== bought + sold) {
    const sum = `${bought} bought + ${sold} sold = ${bought + sold}`;
    differences.push(`${place}, column volume: ${volume}, but the ledger says ${sum}`);
  }
  if (rev !== lastOrder) differences.push(`${place}, column rev: ${rev}, but its last order is ${lastOrder}`);
  return differences;
}
