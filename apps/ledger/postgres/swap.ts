/**
 * A batch in one statement and one round trip: a compare-and-set. It writes the batch if all that it was decided on is as
 * this process remembers it, and none of its keys is known. Else it changes nothing and finds no row, and the batch is
 * decided anew in a transaction that reads first (`writer.ts`).
 *
 * A ledger's own transactions raise the register's `writes`, and a takeover its `epoch`. The stocks are compared because a
 * person may change them too.
 */

import type { Order, Stock } from "@stock-bazaar/shared/domain";
import type { Write } from "./connection.ts";
import type { RegisterRow } from "./register.ts";

const compareAndSet = {
  name: "compare-and-set",
  text: `WITH same AS (
    UPDATE register SET head = head + cardinality($6::text[]), writes = writes + 1
    WHERE epoch = $1 AND writes = $2
      AND NOT EXISTS (SELECT 1 FROM ledger WHERE key = ANY ($3::text[]))
      AND NOT EXISTS (SELECT 1 FROM rejections WHERE key = ANY ($6::text[]))
      AND cardinality($11::text[]) = (SELECT count(*)
        FROM unnest($11::text[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[])
          AS seen (name, price_cents, quantity, volume, rev)
        JOIN stocks USING (name, price_cents, quantity, volume, rev))
    RETURNING head - cardinality($6::text[]) AS head
  ), inserted AS (
    INSERT INTO ledger (id, key, name, type, quantity, price_cents, term, created_at)
    SELECT same.head + number, key, name, type, quantity, price_cents, $4::bigint, $5::text
    FROM same, unnest($6::text[], $7::text[], $8::text[], $9::bigint[], $10::bigint[]) WITH ORDINALITY
      AS new (key, name, type, quantity, price_cents, number)
  ), changed AS (
    UPDATE stocks SET quantity = new.quantity, volume = new.volume, rev = new.rev
    FROM same, unnest($11::text[], $16::bigint[], $17::bigint[], $18::bigint[]) AS new (name, quantity, volume, rev)
    WHERE stocks.name = new.name
  ) SELECT 1 FROM same`,
};

/** A batch of which every trade was accepted. */
export interface Swap {
  readonly orders: readonly Order[];
  /** The keys that the ledger may hold (R3). Where another one is held, the statement fails. */
  readonly mayBeKnown: readonly string[];
  /** The traded stocks as they are remembered, and then the same ones as the batch leaves them. */
  readonly before: readonly Stock[];
  readonly after: readonly Stock[];
}

/** `orders` must not be empty. */
export function swapOf({ epoch, writes }: RegisterRow, { orders, mayBeKnown, before, after }: Swap): Write {
  const [first] = orders;
  return [
    compareAndSet,
    [
      epoch,
      writes,
      mayBeKnown,
      first?.term ?? 0,
      first?.createdAt ?? "",
      orders.map(({ key }) => key),
      orders.map(({ name }) => name),
      orders.map(({ type }) => type),
      orders.map(({ quantity }) => quantity),
      orders.map(({ priceCents }) => priceCents),
      before.map(({ name }) => name),
      before.map(({ priceCents }) => priceCents),
      before.map(({ quantity }) => quantity),
      before.map(({ volume }) => volume),
      before.map(({ rev }) => rev),
      after.map(({ quantity }) => quantity),
      after.map(({ volume }) => volume),
      after.map(({ rev }) => rev),
    ],
  ];
}
