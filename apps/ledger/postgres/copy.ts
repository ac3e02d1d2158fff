/** Writes a copy of another ledger into a database. */

import { withoutPassword } from "@stock-bazaar/process/ledger-url";
import type { NewStock, Stock } from "@stock-bazaar/shared/domain";
import { copiedRegister, rejectionPages, requireUnused, stockPages } from "../copy.ts";
import { orderPages } from "../order-pages.ts";
import type { KeptRejection, LedgerView } from "../store.ts";
import { buildLedger, countAll, type HeldLedger, pagesOf } from "./changes.ts";
import type { Connection, Statement, Value } from "./connection.ts";
import { registerOf } from "./register.ts";
import { insertOf, storable } from "./statements.ts";
import { viewOf } from "./view.ts";

const insertStocks = {
  text: `INSERT INTO stocks (name, price_cents, quantity, volume, rev)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])`,
};
const insertInitial = {
  text: "INSERT INTO initial_stocks (name, quantity) SELECT * FROM unnest($1::text[], $2::bigint[])",
};
const insertRejections = {
  text: `INSERT INTO rejections (place, key, fingerprint, reason, created_at)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[])`,
};
const setRegister = {
  text: `UPDATE register SET term = $1, leader = $2, head = $3, life = $4, first_term = $5, lease_ms = $6,
    ended_cleanly = 0, last_rejection = $7`,
};

export async function copyLedger(
  target: HeldLedger,
  source: LedgerView,
  compare: (copy: LedgerView) => Promise<void>,
): Promise<string | undefined> {
  const { url } = target;
  const { aside } = await buildLedger(target, async (connection, before) => {
    if (before) requireUnused(withoutPassword(url), registerOf(before), before.lastRejection);
    await fill(connection, source);
    await compare(await viewOf(connection, url));
  });
  return aside;
}

async function fill(connection: Connection, source: LedgerView): Promise<void> {
  const insert = (statement: Statement, values: readonly Value[]) => connection.query(statement, values);
  for await (const page of stockPages(source)) await insert(insertStocks, stockColumns(page));
  for (const page of pagesOf(await source.initialStocks())) await insert(insertInitial, initialColumns(page));
  for await (const page of rejectionPages(source)) await insert(insertRejections, rejectionColumns(page));
  for await (const page of orderPages(source)) await insert(...insertOf(page));
  await insert(countAll, []);
  const { term, leader, head, life, firstTerm, leaseMs } = await copiedRegister(source, Date.now());
  await insert(setRegister, [term, leader, head, life, firstTerm, leaseMs, await source.lastRejection()]);
}

function stockColumns(stocks: readonly Stock[]): Value[] {
  return [
    stocks.map(({ name }) => name),
    stocks.map(({ priceCents }) => priceCents),
    stocks.map(({ quantity }) => quantity),
    stocks.map(({ volume }) => volume),
    stocks.map(({ rev }) => rev),
  ];
}

function initialColumns(stocks: readonly NewStock[]): Value[] {
  return [stocks.map(({ name }) => name), stocks.map(({ quantity }) => quantity)];
}

function rejectionColumns(rejections: readonly KeptRejection[]): Value[] {
  return [
    rejections.map(({ place }) => place),
    rejections.map(({ key }) => key),
    rejections.map(({ fingerprint }) => storable(fingerprint)),
    rejections.map(({ reason }) => reason),
    rejections.map(({ createdAt }) => createdAt),
  ];
}
