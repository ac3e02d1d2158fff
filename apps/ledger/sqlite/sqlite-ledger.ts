/**
 * The ledger in SQLite. A batch is one immediate transaction and one fsync: what it reads can't change before it
 * writes, and a crash leaves either the whole batch or nothing. What it reads is mostly in memory (`memory.ts`).
 */

import { advice } from "@stock-bazaar/process/advice";
import { checkpoint } from "@stock-bazaar/sqlite/checkpoint";
import { diskFull } from "@stock-bazaar/sqlite/connection";
import { hasRoom } from "@stock-bazaar/sqlite/disk-room";
import { sqliteCode } from "@stock-bazaar/sqlite/failures";
import { prepareInsert } from "@stock-bazaar/sqlite/insert-rows";
import type { CatalogDatabase } from "./database.ts";
import { orderColumns, orderValues } from "@stock-bazaar/sqlite/order-rows";
import { defaultPatience, type Patience } from "@stock-bazaar/sqlite/patient-writes";
import { guardDatabase, guardWrites } from "@stock-bazaar/sqlite/guards";
import type { AcquireRequest, LeaderRequest } from "@stock-bazaar/shared/api";
import type { Order, RejectionReason, Stock, TradeType } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { type Decision, decide, decideRestock, fingerprint, type KnownOutcome, refusesAny } from "../decide.ts";
import { requireNewestTerm, requireSameOrder, requireTerm } from "../leadership.ts";
import type { Ledger, LedgerBatch, LedgerChange, LedgerRegister } from "../ledger.ts";
import { LedgerMemory } from "./memory.ts";
import { lastRejection, leasesOf, prepareReads, requireRegister, stockColumns } from "./reads.ts";

const hint = `is catalog.db the right file? ${advice.putBackCatalog}`;

/**
 * The database must be open and migrated; the ledger's `close` closes it. `broken` receives a failure after which the
 * disk or the file can't be trusted.
 */
export function createSqliteLedger(
  database: CatalogDatabase,
  broken: (error: unknown) => void = () => {},
  patience: Patience = defaultPatience,
): Ledger {
  const { client } = database;
  const guard = guardDatabase(database, broken);
  const guardWrite = guardWrites(database, broken, patience);
  const memory = new LedgerMemory(client);

  const { register, leases, stocksFrom, stocksAfter, orderById, ordersAfter } = prepareReads(client);
  const setLeader = client.prepare<[number, number]>("UPDATE register SET term = ?, leader = ?");
  const writeSame = client.prepare<[]>("UPDATE register SET head = head");
  const setHead = client.prepare<[number]>("UPDATE register SET head = ?");
  const setLeases = client.prepare<[number, number]>("UPDATE register SET lease_ms = ?, ended_cleanly = ?");
  const stockByName = client.prepare<[string], Stock>(`SELECT ${stockColumns} FROM stocks WHERE name = ?`);
  const emptyStocks = client.prepare<[string, number], Stock>(
    `SELECT ${stockColumns} FROM stocks WHERE quantity = 0 AND name > ? ORDER BY name LIMIT ?`,
  );
  const setStock = client.prepare<[number, number, number, string]>(
    "UPDATE stocks SET quantity = ?, volume = ?, rev = ? WHERE name = ?",
  );
  const ordersByKeys = client.prepare<[string], Pick<Order, "id" | "key" | "name" | "quantity"> & { type: TradeType }>(
    "SELECT id, key, name, type, quantity FROM ledger WHERE key IN (SELECT value FROM json_each(?))",
  );
  const insertOrders = prepareInsert(client, "ledger", orderColumns);
  const rejectionsByKeys = client.prepare<[string], { key: string; fingerprint: string; reason: RejectionReason }>(
    "SELECT key, fingerprint, reason FROM rejections WHERE key IN (SELECT value FROM json_each(?))",
  );
  const insertRejection = client.prepare<[string, string, string, string]>(
    "INSERT INTO rejections (key, fingerprint, reason, created_at) VALUES (?, ?, ?, ?)",
  );
  const newestRejection = client.prepare<[], { place: number }>(lastRejection);
  // Keeps the newest row: SQLite gives the next row the highest rowid plus one, so without it a number would be reused.
  const forgetRejections = client.prepare<[number, number]>(
    `DELETE FROM rejections WHERE rowid IN
       (SELECT rowid FROM rejections WHERE rowid <= ? AND rowid < (SELECT max(rowid) FROM rejections) LIMIT ?)`,
  );

  /** Finds known keys with one query per table: a call into SQLite costs more than an index lookup. */
  function outcomesOf(mayBeKnown: readonly string[], keys: readonly string[]): Map<string, KnownOutcome> {
    const outcomes = new Map<string, KnownOutcome>();
    const orders = mayBeKnown.length === 0 ? [] : ordersByKeys.all(JSON.stringify(mayBeKnown));
    for (const order of orders) {
      outcomes.set(order.key, {
        fingerprint: fingerprint(order),
        result: { status: "accepted", orderId: order.id },
      });
    }
    for (const { key, fingerprint, reason } of rejectionsByKeys.all(JSON.stringify(keys)))
      outcomes.set(key, { fingerprint, result: { status: "rejected", reason } });
    return outcomes;
  }

  const readStock = (name: string) => stockByName.get(name);
  const readOrder = (id: number) => orderById.get(id);

  function currentRegister(): LedgerRegister {
    return requireRegister(register.get());
  }

  function requireOrder(last: Order | undefined, head: number, replica: number): void {
    requireSameOrder(last, last && memory.order(last.id, readOrder), { head, replica, hint });
  }

  /** Runs under the write lock. An old term changes nothing. */
  const write = client.transaction(
    ({ term, last }: LeaderRequest, decideOn: (head: number) => Decision): LedgerChange => {
      memory.refresh();
      const current = memory.register(currentRegister);
      requireTerm(term, current);
      requireOrder(last, current.head, current.leader);
      const decision = decideOn(current.head);
      insertOrders(decision.orders.map(orderValues));
      for (const { key, fingerprint, reason, createdAt } of decision.rejections)
        insertRejection.run(key, fingerprint, reason, createdAt);
      for (const { quantity, volume, rev, name } of decision.stocks) setStock.run(quantity, volume, rev, name);
      if (decision.head > current.head) setHead.run(decision.head);
      return decision;
    },
  );

  function remembering(action: () => LedgerChange): LedgerChange {
    try {
      const change = action();
      memory.committed(change);
      return change;
    } catch (error) {
      memory.forget();
      throw error;
    }
  }

  function applyOnce({ term, last, trades, createdAt, ...batch }: LedgerBatch): LedgerChange {
    const keys = trades.map(({ key }) => key);
    const { mayBeKnown = keys } = batch;
    return write.immediate({ term, last }, (head) => {
      const decideWith = (known: ReadonlyMap<string, KnownOutcome>) =>
        decide(trades, {
          outcomeOf: (key) => known.get(key),
          stockOf: (name) => memory.stock(name, readStock),
          head,
          term,
          createdAt,
        });
      const decision = decideWith(outcomesOf(mayBeKnown, keys));
      // The first send of a key may arrive after its retry was accepted: only then may it be refused here (R3).
      return refusesAny(decision) && mayBeKnown.length < keys.length ? decideWith(outcomesOf(keys, keys)) : decision;
    });
  }

  function apply(batch: LedgerBatch): LedgerChange {
    try {
      return applyOnce(batch);
    } catch (error) {
      if (sqliteCode(error) !== "SQLITE_CONSTRAINT_UNIQUE" || batch.mayBeKnown === undefined) throw error;
      return applyOnce({ ...batch, mayBeKnown: undefined });
    }
  }

  const acquire = client.transaction(({ replica, term, last }: AcquireRequest): LedgerRegister => {
    memory.refresh();
    const current = currentRegister();
    requireNewestTerm(term, current);
    requireOrder(last, current.head, replica);
    setLeader.run(current.term + 1, replica);
    memory.forget();
    return { ...current, term: current.term + 1, leader: replica };
  });

  return {
    checkpoint: async () => guard(() => checkpoint(client)),
    apply: (batch) => guardWrite(() => remembering(() => apply(batch))),
    restock: ({ term, last, quantity, after, limit, createdAt }) =>
      guardWrite(() =>
        remembering(() =>
          write.immediate({ term, last }, (head) =>
            decideRestock(emptyStocks.all(after, limit), quantity, { head, term, createdAt }),
          ),
        ),
      ),
    stocks: async (names) => guard(() => names.flatMap((name) => stockByName.get(name) ?? [])),
    stocksFrom: async ({ start, inclusive, limit }) =>
      guard(() => (inclusive ? stocksFrom : stocksAfter).all(start, limit)),
    ordersAfter: async (afterId, limit) => guard(() => ordersAfter.all(afterId, limit)),
    register: async () => guard(currentRegister),
    acquire: (request) => guardWrite(() => acquire.immediate(request)),
    async tryWrite() {
      await guardWrite(() => writeSame.run());
      if (await hasRoom(client.name)) return;
      throw new BazaarError("STORAGE_UNAVAILABLE", `${client.name} ${diskFull}`);
    },
    leases: async () => guard(() => leasesOf(leases.get())),
    async setLeases({ leaseMs, endedCleanly }) {
      await guardWrite(() => setLeases.run(leaseMs, endedCleanly ? 1 : 0));
    },
    lastRejection: async () => guard(() => newestRejection.get()?.place ?? 0),
    forgetRejections: (upTo, limit) => guardWrite(() => forgetRejections.run(upTo, limit).changes),
    close: async () => database.close(),
  };
}
