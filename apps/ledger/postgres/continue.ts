/** Continues a ledger that is an old copy, like one restored to an earlier time, by the orders that it lacks. */

import type { Stock } from "@stock-bazaar/shared/domain";
import { Replay, type Replayed } from "../replay.ts";
import type { LedgerContent } from "../store.ts";
import { beginLife, type HeldLedger, inTransaction, pagesOf, requireHeld } from "./changes.ts";
import { forTools } from "./connection-use.ts";
import { lockRegister, type RegisterRow, requireRow } from "./register.ts";
import { insertOf } from "./statements.ts";
import { onConnection } from "./view.ts";

const allStocks = { text: 'SELECT name, price_cents AS "priceCents", quantity, volume, rev FROM stocks' };
const lastOrder = { text: "SELECT coalesce(max(id), 0) AS head FROM ledger" };
/** A key that has an order is no rejected one, whatever the ledger has kept of it. */
const forgetRejections = { text: "DELETE FROM rejections WHERE key = ANY ($1::text[])" };
const setStocks = {
  text: `UPDATE stocks
    SET price_cents = now.price_cents, quantity = now.quantity, volume = now.volume, rev = now.rev
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
      AS now (name, price_cents, quantity, volume, rev)
    WHERE stocks.name = now.name`,
};

export function continueLedger(target: HeldLedger, pages: LedgerContent["pages"]): Promise<Replayed> {
  const { url } = target;
  return onConnection(url, forTools, (connection) =>
    inTransaction(connection, url, async () => {
      const used = requireRow((await connection.query<RegisterRow>(lockRegister)).rows);
      requireHeld(target, used);
      const [end] = (await connection.query<{ head: number }>(lastOrder)).rows;
      const { rows } = await connection.query<Stock>(allStocks);
      const replay = new Replay(rows, used, end ?? { head: 0 });
      for await (const orders of pages) {
        for (const order of orders) replay.add(order);
        if (orders.length === 0) continue;
        await connection.query(...insertOf(orders));
        await connection.query(forgetRejections, [orders.map(({ key }) => key)]);
      }
      const { head, term, stocks } = replay.end(Date.now());
      for (const page of pagesOf(stocks)) {
        await connection.query(setStocks, [
          page.map(({ name }) => name),
          page.map(({ priceCents }) => priceCents),
          page.map(({ quantity }) => quantity),
          page.map(({ volume }) => volume),
          page.map(({ rev }) => rev),
        ]);
      }
      await connection.query(beginLife, [term, head, crypto.randomUUID(), used.leaseMs]);
      return { head, term };
    }),
  );
}
