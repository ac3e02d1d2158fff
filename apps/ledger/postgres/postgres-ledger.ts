/**
 * The ledger on PostgreSQL. A batch is one statement, if it can be decided on what this process remembers (`swap.ts`), else
 * a transaction of two round trips (`writer.ts`). Everything that the latter reads is read after the register was locked, so
 * it can't change before the batch is written.
 */

import { advice } from "@stock-bazaar/process/advice";
import type { LeaderRequest } from "@stock-bazaar/shared/api";
import { isSameOrder, type Order, type Stock, type Trade } from "@stock-bazaar/shared/domain";
import { type Decision, decide, decideRestock, fingerprint, type KnownOutcome, refusesAny } from "../decide.ts";
import { requireNewestTerm, requireSameOrder, requireTerm } from "../leadership.ts";
import type { Ledger, LedgerBatch, LedgerChange } from "../ledger.ts";
import { sqlState } from "./sql-state.ts";
import type { Connection } from "./connection.ts";
import { type ConnectionUse, inEpoch } from "./connection-use.ts";
import { Proofs } from "./proofs.ts";
import { Reader } from "./reader.ts";
import { leasesOf, proof, readRegister, registerOf, type RegisterRow, requireRow } from "./register.ts";
import {
  changeOf,
  emptyStocksAfter,
  insertOf,
  orderById,
  ordersAfter,
  ordersByKeys,
  type RejectionRow,
  rejectionsByKeys,
  rejectionsOf,
  stocksAfter,
  stocksByNames,
  stocksFrom,
  storable,
} from "./statements.ts";
import { swapOf } from "./swap.ts";
import { TradedStocks } from "../traded-stocks.ts";
import type { Decided, Send, Transaction } from "./transaction.ts";
import { takenOver, Writer, type WriterOptions } from "./writer.ts";

const oldRejections = {
  text: "SELECT place FROM rejections WHERE place <= $1 ORDER BY place LIMIT $2",
};
const forget = { text: "DELETE FROM rejections WHERE place = ANY ($1::bigint[])" };

const uniqueViolation = "23505";

const hint = `is LEDGER_URL right? ${advice.putBackCatalog}`;

export type PostgresLedgerOptions = Omit<WriterOptions, "lost" | "proofs">;

/** The ledger's `close` closes its connections. */
export function createPostgresLedger(given: PostgresLedgerOptions): Ledger {
  const { name, epoch, failover, broken, connect } = given;
  const options = { ...given, connect: (use: ConnectionUse) => connect(inEpoch(use, epoch)) };
  const reading = { ...options, prove: failover ? prove : undefined };
  const reader = new Reader(reading);
  // A connection of its own: a proof of the epoch must not wait for a page of orders.
  const prover = new Reader(reading);
  const proofs = new Proofs(() => register(prover));
  const renew = () => {
    reader.renew();
    prover.renew();
  };
  const writer = new Writer({ ...options, proofs, lost: renew });
  // What this process has committed stays so while the register has its epoch: nobody else trades (R11).
  const traded = new TradedStocks();
  let newest: Order | undefined;

  async function register(by: Reader): Promise<RegisterRow> {
    return requireOwn(requireRow(await by.read<RegisterRow>(readRegister)));
  }

  function requireOwn(row: RegisterRow): RegisterRow {
    if (row.epoch === epoch) return row;
    const error = takenOver(name, { own: epoch, ...row });
    broken(error);
    throw error;
  }

  async function prove(connection: Connection): Promise<void> {
    if ((await connection.query(proof, [epoch])).count > 0) return;
    requireOwn(requireRow((await connection.query<RegisterRow>(readRegister)).rows));
  }

  /** A leader's transaction, in which `decideOn` decides on what `ask` has found. */
  async function lead<Found>(
    { term, last }: LeaderRequest,
    ask: (send: Send) => Promise<Found>,
    decideOn: (facts: Found, head: number) => Decision,
    remembered: Transaction<Found, LedgerChange>["remembered"] = () => undefined,
  ): Promise<LedgerChange> {
    return writer.run({
      remembered: (found) =>
        found.term === term && (last === undefined || isSameOrder(newest, last)) ? remembered(found) : undefined,
      ask: (send) => Promise.all([ask(send), findOrder(send, last)]),
      decide(found, [facts, order]) {
        requireTerm(term, found);
        requireSameOrder(last, order, { head: found.head, replica: found.leader, hint });
        return written(decideOn(facts, found.head), found);
      },
      stored({ orders, stocks }) {
        traded.committed(stocks);
        newest = orders.at(-1) ?? newest;
      },
    });
  }

  function applyOnce({ trades, term, last, createdAt, ...batch }: LedgerBatch): Promise<LedgerChange> {
    const keys = trades.map(({ key }) => key);
    const { mayBeKnown = keys } = batch;
    const decideOn = ({ known, stockOf }: Facts, head: number) =>
      decide(trades, { outcomeOf: (key) => known.get(key), stockOf, head, term, createdAt });
    return lead(
      { term, last },
      factsOf(trades, mayBeKnown, keys),
      (facts, head) => {
        const decision = decideOn(facts, head);
        if (refusesAny(decision) && mayBeKnown.length < keys.length) throw new MayBeKnown();
        return decision;
      },
      (found) => {
        const outcome = decideOn({ known: new Map(), stockOf: (stock) => traded.get(stock) }, found.head);
        const { orders, stocks: after, head } = outcome;
        if (orders.length === 0 || orders.length < trades.length) return undefined;
        const before = after.flatMap(({ name: stock }) => traded.get(stock) ?? []);
        return { outcome, swap: swapOf(found, { orders, mayBeKnown, before, after }), register: { head } };
      },
    );
  }

  async function apply(batch: LedgerBatch): Promise<LedgerChange> {
    try {
      return await applyOnce(batch);
    } catch (error) {
      const isKnown = sqlState(error) === uniqueViolation && batch.mayBeKnown !== undefined;
      if (!isKnown && !(error instanceof MayBeKnown)) throw error;
      return applyOnce({ ...batch, mayBeKnown: undefined });
    }
  }

  return {
    // The server syncs what it commits, and recovers by itself.
    checkpoint: async () => undefined,
    apply,
    restock: ({ quantity, after, limit, createdAt, ...request }) =>
      lead(
        request,
        (send) => send<Stock>(emptyStocksAfter, [after, limit]),
        ({ rows }, head) => decideRestock(rows, quantity, { head, term: request.term, createdAt }),
      ),
    prove: () => proofs.prove(),
    async stocks(names) {
      const remembered = names.flatMap((stock) => traded.get(stock) ?? []);
      const others = possible(names.filter((stock) => traded.get(stock) === undefined));
      return others.length === 0 ? remembered : [...remembered, ...(await reader.read<Stock>(stocksByNames, [others]))];
    },
    stocksFrom: ({ start, inclusive, limit }) => reader.read(inclusive ? stocksFrom : stocksAfter, [start, limit]),
    ordersAfter: (afterId, limit) => reader.read(ordersAfter, [afterId, limit]),
    register: async () => registerOf(await register(reader)),
    acquire: ({ replica, term, last }) =>
      writer.run({
        ask: (send) => findOrder(send, last),
        decide(found, order) {
          requireNewestTerm(term, found);
          requireSameOrder(last, order, { head: found.head, replica, hint });
          const next = { term: found.term + 1, leader: replica };
          return { outcome: { ...registerOf(found), ...next }, register: next };
        },
      }),
    tryWrite: () => writer.run({ ask: nothing, decide: () => ({ outcome: undefined, register: {} }) }),
    leases: async () => leasesOf(await register(reader)),
    setLeases: ({ leaseMs, endedCleanly }) =>
      writer.run({
        ask: nothing,
        decide: () => ({ outcome: undefined, register: { leaseMs, endedCleanly: endedCleanly ? 1 : 0 } }),
      }),
    lastRejection: async () => (await register(reader)).lastRejection,
    forgetRejections: (upTo, limit) =>
      writer.run({
        ask: (send) => send<{ place: number }>(oldRejections, [upTo, limit]),
        decide({ lastRejection }, { rows }) {
          const places = rows.map(({ place }) => place).filter((place) => place < lastRejection);
          if (places.length === 0) return { outcome: 0 };
          return { outcome: places.length, writes: [[forget, [places]]], register: {} };
        },
      }),
    async close() {
      await Promise.all([writer.close(), reader.close(), prover.close()]);
    },
  };
}

/** A trade would be refused whose key was not looked for in the ledger: it may have been accepted before (R3). */
class MayBeKnown extends Error {}

async function nothing(): Promise<void> {}

/** What a batch writes. Nothing if all was known before. */
function written(decision: Decision, { lastRejection }: RegisterRow): Decided<LedgerChange> {
  const { orders, rejections, stocks, head } = decision;
  if (orders.length + rejections.length === 0) return { outcome: decision };
  return {
    outcome: decision,
    writes: [
      ...(orders.length > 0 ? [insertOf(orders), changeOf(stocks)] : []),
      ...(rejections.length > 0 ? [rejectionsOf(rejections, lastRejection)] : []),
    ],
    register: { head, lastRejection: lastRejection + rejections.length },
  };
}

async function findOrder(send: Send, last: Order | undefined): Promise<Order | undefined> {
  if (last === undefined) return undefined;
  const { rows } = await send<Order>(orderById, [last.id]);
  return rows[0];
}

/** What a batch is decided on. */
interface Facts {
  readonly known: ReadonlyMap<string, KnownOutcome>;
  readonly stockOf: (name: string) => Stock | undefined;
}

/** Asks for the facts of a batch. Only `mayBeKnown` of its keys are looked up in the ledger, all among the rejections. */
function factsOf(trades: readonly Trade[], mayBeKnown: readonly string[], keys: readonly string[]) {
  const names = possible([...new Set(trades.map(({ name }) => name))]);
  return async (send: Send): Promise<Facts> => {
    const none = { rows: [] };
    const [orders, rejections, stocks] = await Promise.all([
      mayBeKnown.length === 0 ? none : send<Order & Trade>(ordersByKeys, [mayBeKnown]),
      keys.length === 0 ? none : send<RejectionRow>(rejectionsByKeys, [keys]),
      names.length === 0 ? none : send<Stock>(stocksByNames, [names]),
    ]);
    const known = new Map<string, KnownOutcome>();
    for (const order of orders.rows) {
      known.set(order.key, { fingerprint: fingerprint(order), result: { status: "accepted", orderId: order.id } });
    }
    const asked = new Map(trades.map((trade) => [storable(fingerprint(trade)), fingerprint(trade)]));
    for (const { key, fingerprint: stored, reason } of rejections.rows) {
      known.set(key, { fingerprint: asked.get(stored) ?? stored, result: { status: "rejected", reason } });
    }
    const byName = new Map(stocks.rows.map((stock) => [stock.name, stock]));
    return { known, stockOf: (name) => byName.get(name) };
  };
}

/** PostgreSQL refuses a text with a NUL. No stock has such a name. */
function possible(names: readonly string[]): readonly string[] {
  return names.filter((name) => !name.includes("\0"));
}
