/**
 * A ledger that is copied into another store: what its copy takes over, and how the two are compared.
 *
 * The copy is the same history, so it keeps the ledger's life: whoever has seen more of that life than a ledger holds makes
 * that ledger refuse everything (R2). That stops the original if it is started after its copy has traded. Rejections are
 * kept with the orders: a key that is sent again gets its first outcome (R3). Two things differ:
 *
 * - The term is one that the original has not given out and will not reach. Otherwise both might give the same term to two
 *   leaders, and no replica would notice.
 * - The copy hasn't ended cleanly, whatever its original has: if that one is started once more before the copy is, it
 *   grants leases, which the copy must wait for (R9).
 */

import type { LedgerRegister, Leases } from "./ledger.ts";
import { orderPages } from "./order-pages.ts";
import { unusedTerm } from "./replay.ts";
import type { KeptRejection, LedgerView } from "./store.ts";
import { isSameOrder, type NewStock, type Stock } from "@stock-bazaar/shared/domain";
import { SetupError } from "@stock-bazaar/shared/errors";

/** A ledger wasn't copied, and nothing was changed. The message contains what to do. */
export class CopyError extends SetupError {
  constructor(message: string) {
    super(message);
    this.name = "CopyError";
  }
}

/** Rows per page: there may be more than fit into memory. */
const pageRows = 5000;

/** The register of a copy. `stocks` is counted by the store. */
export interface CopiedRegister extends Omit<LedgerRegister, "stocks">, Leases {}

export async function copiedRegister(source: LedgerView, nowMs: number): Promise<CopiedRegister> {
  const [{ term, head, life, firstTerm }, { leaseMs }] = [await source.register(), await source.leases()];
  return { term: unusedTerm(term, nowMs), leader: 0, head, life, firstTerm, leaseMs, endedCleanly: false };
}

/** Throws a CopyError if a ledger has ever had a leader or an outcome: a copy would take the place of its history. */
export function requireUnused(name: string, { head, term }: LedgerRegister, lastRejection: number): void {
  if (head === 0 && term === 0 && lastRejection === 0) return;
  throw new CopyError(
    `${name} must have no ledger, or one that was never used (it has ${head} orders, in term ${term}): name another one, or move that ledger elsewhere`,
  );
}

/** All stocks, in pages. */
export async function* stockPages(view: LedgerView): AsyncGenerator<readonly Stock[]> {
  for (let start = "", inclusive = true; ; inclusive = false) {
    const page = await view.stocksFrom({ start, inclusive, limit: pageRows });
    const end = page.at(-1);
    if (!end) return;
    yield page;
    start = end.name;
  }
}

/** All rejections, in pages. */
export async function* rejectionPages(view: LedgerView): AsyncGenerator<readonly KeptRejection[]> {
  for (let after = 0; ; ) {
    const page = await view.rejectionsAfter(after, pageRows);
    const end = page.at(-1);
    if (!end) return;
    yield page;
    after = end.place;
  }
}

/** What a copy holds, as its comparison has counted it. */
export interface Compared {
  readonly orders: number;
  readonly stocks: number;
  readonly rejections: number;
}

/** Compares every row. Rejects with a CopyError that names the first difference. */
export async function compareCopy(source: LedgerView, copy: LedgerView): Promise<Compared> {
  const rejections = await comparePages("rejection", rejectionPages(source), rejectionPages(copy), isSameRejection);
  await requireSameRegister(source, copy);
  const initial = [await source.initialStocks(), await copy.initialStocks()] as const;
  await comparePages("initial stock", onePage(initial[0]), onePage(initial[1]), isSameInitial);
  const stocks = await comparePages("stock", stockPages(source), stockPages(copy), isSameStock);
  const orders = await comparePages("order", orderPages(source), orderPages(copy), isSameOrder);
  return { orders, stocks, rejections };
}

async function requireSameRegister(source: LedgerView, copy: LedgerView): Promise<void> {
  const [from, to] = [await source.register(), await copy.register()];
  const [leases, leasesNow] = [await source.leases(), await copy.leases()];
  const isCopied =
    to.head === from.head &&
    to.life === from.life &&
    to.firstTerm === from.firstTerm &&
    to.stocks === from.stocks &&
    to.term > from.term &&
    leasesNow.leaseMs === leases.leaseMs &&
    !leasesNow.endedCleanly &&
    (await copy.lastRejection()) === (await source.lastRejection());
  if (!isCopied) throw different("the register", { ...from, ...leases }, { ...to, ...leasesNow });
}

/** Returns how many rows there are. */
async function comparePages<Row extends object>(
  what: string,
  source: AsyncIterable<readonly Row[]>,
  copy: AsyncIterable<readonly Row[]>,
  isSame: (one: Row | undefined, other: Row | undefined) => boolean,
): Promise<number> {
  const rest = copy[Symbol.asyncIterator]();
  let count = 0;
  for await (const page of source) {
    const { value = [] } = (await rest.next()) as { value?: readonly Row[] };
    const at = page.findIndex((row, index) => !isSame(row, value[index]));
    if (at >= 0 || value.length > page.length) {
      const index = at >= 0 ? at : page.length;
      throw different(`${what} ${count + index + 1}`, page[index], value[index]);
    }
    count += page.length;
  }
  const { done, value } = await rest.next();
  if (!done) throw different(`${what} ${count + 1}`, undefined, value[0]);
  return count;
}

async function* onePage<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  if (rows.length > 0) yield rows;
}

function isSameStock(one: Stock | undefined, other: Stock | undefined): boolean {
  return isSameInitial(one, other) && one?.volume === other?.volume && one?.rev === other?.rev;
}

function isSameInitial(one: NewStock | undefined, other: NewStock | undefined): boolean {
  return one?.name === other?.name && one?.priceCents === other?.priceCents && one?.quantity === other?.quantity;
}

function isSameRejection(one: KeptRejection | undefined, other: KeptRejection | undefined): boolean {
  return (
    one?.place === other?.place &&
    one?.key === other?.key &&
    one?.fingerprint === other?.fingerprint &&
    one?.reason === other?.reason &&
    one?.createdAt === other?.createdAt
  );
}

function different(what: string, source: object | undefined, copy: object | undefined): CopyError {
  const [was, is] = [source, copy].map((row) => (row === undefined ? "nothing" : JSON.stringify(row)));
  return new CopyError(`${what} of the copy must be ${was} (got ${is}): nothing was changed`);
}
