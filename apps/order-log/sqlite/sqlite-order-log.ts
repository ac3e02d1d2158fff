/** A replica's orders in SQLite: one transaction for each chunk. The database decides whether a commit waits for its disk. */

import { prepareInsert } from "@stock-bazaar/sqlite/insert-rows";
import type { OrderDatabase } from "./database.ts";
import { orderColumns, orderFields, orderValues } from "@stock-bazaar/sqlite/order-rows";
import { defaultPatience, type Patience } from "@stock-bazaar/sqlite/patient-writes";
import { guardDatabase, guardWrites } from "@stock-bazaar/sqlite/guards";
import type { Order } from "@stock-bazaar/shared/domain";
import { assertContinues, type OrderLog } from "../order-log.ts";

/** A replica ends if its file stays locked for longer than this; another one leads then. */
const appendPatienceMs = 2000;

/**
 * The database must be open and migrated; `close` closes it. `broken` receives the error when the disk or the file
 * can't be trusted any more.
 */
export function createSqliteOrderLog(
  database: OrderDatabase,
  broken: (error: unknown) => void = () => {},
  patience: Patience = { ...defaultPatience, patienceMs: appendPatienceMs },
): OrderLog {
  const { client } = database;
  const guard = guardDatabase(database, broken);
  const guardAppend = guardWrites(database, broken, patience);

  const insert = prepareInsert(client, "orders", orderColumns);
  const byId = client.prepare<[number], Order>(`SELECT ${orderFields} FROM orders WHERE id = ?`);
  const after = client.prepare<[number, number], Order>(
    `SELECT ${orderFields} FROM orders WHERE id > ? ORDER BY id LIMIT ?`,
  );
  const newest = client.prepare<[number, number], Order>(
    `SELECT ${orderFields} FROM orders WHERE id < ? ORDER BY id DESC LIMIT ?`,
  );
  const appendAll = client.transaction((orders: readonly Order[]) => insert(orders.map(orderValues)));

  const below = (before: number) => (before === 0 ? Number.MAX_SAFE_INTEGER : before);
  let last = guard(() => newest.get(below(0), 1));

  return {
    get last() {
      return last;
    },
    get lastId() {
      return last?.id ?? 0;
    },
    async append(orders) {
      const lastNew = orders.at(-1);
      if (!lastNew) return;
      assertContinues(last?.id ?? 0, orders);
      await guardAppend(() => appendAll.immediate(orders));
      last = lastNew;
    },
    after: async (afterId, limit) => guard(() => after.all(afterId, limit)),
    get: async (id) => guard(() => byId.get(id)),
    newest: async (before, limit) => guard(() => newest.all(below(before), limit)),
    close: async () => database.close(),
  };
}
