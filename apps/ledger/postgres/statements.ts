/** The statements of a ledger. Those with a name are prepared once on each connection. */

import type { Order, RejectionReason, Stock } from "@stock-bazaar/shared/domain";
import type { Rejection } from "../decide.ts";
import type { Write } from "./connection.ts";

const orderFields = `id, key, name, type, quantity, price_cents AS "priceCents", term, created_at AS "createdAt"`;
const stockFields = `name, price_cents AS "priceCents", quantity, volume, rev`;

export const ordersByKeys = {
  name: "orders-by-keys",
  text: `SELECT ${orderFields} FROM ledger WHERE key = ANY ($1::text[])`,
};
export const rejectionsByKeys = {
  name: "rejections-by-keys",
  text: "SELECT key, fingerprint, reason FROM rejections WHERE key = ANY ($1::text[])",
};
export const stocksByNames = {
  name: "stocks-by-names",
  text: `SELECT ${stockFields} FROM stocks WHERE name = ANY ($1::text[])`,
};
export const orderById = { name: "order-by-id", text: `SELECT ${orderFields} FROM ledger WHERE id = $1` };
export const ordersAfter = {
  name: "orders-after",
  text: `SELECT ${orderFields} FROM ledger WHERE id > $1 ORDER BY id LIMIT $2`,
};
export const stocksFrom = {
  name: "stocks-from",
  text: `SELECT ${stockFields} FROM stocks WHERE name >= $1 ORDER BY name LIMIT $2`,
};
export const stocksAfter = {
  name: "stocks-after",
  text: `SELECT ${stockFields} FROM stocks WHERE name > $1 ORDER BY name LIMIT $2`,
};
export const emptyStocksAfter = {
  name: "empty-stocks-after",
  text: `SELECT ${stockFields} FROM stocks WHERE quantity = 0 AND name > $1 ORDER BY name LIMIT $2`,
};
const insertOrders = {
  name: "insert-orders",
  text: `INSERT INTO ledger (id, key, name, type, quantity, price_cents, term, created_at)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
      $8::text[])`,
};
const insertRejections = {
  name: "insert-rejections",
  text: `INSERT INTO rejections (key, fingerprint, reason, created_at, place)
    SELECT key, fingerprint, reason, created_at, $5::bigint + number
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY
      AS added (key, fingerprint, reason, created_at, number)`,
};
const setStocks = {
  name: "set-stocks",
  text: `UPDATE stocks SET quantity = changed.quantity, volume = changed.volume, rev = changed.rev
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS changed (name, quantity, volume, rev)
    WHERE stocks.name = changed.name`,
};

export interface RejectionRow {
  readonly key: string;
  readonly fingerprint: string;
  readonly reason: RejectionReason;
}

export function insertOf(orders: readonly Order[]): Write {
  return [
    insertOrders,
    [
      orders.map(({ id }) => id),
      orders.map(({ key }) => key),
      orders.map(({ name }) => name),
      orders.map(({ type }) => type),
      orders.map(({ quantity }) => quantity),
      orders.map(({ priceCents }) => priceCents),
      orders.map(({ term }) => term),
      orders.map(({ createdAt }) => createdAt),
    ],
  ];
}

/** The rejections get the places after `last`. */
export function rejectionsOf(rejections: readonly Rejection[], last: number): Write {
  return [
    insertRejections,
    [
      rejections.map(({ key }) => key),
      rejections.map(({ fingerprint }) => storable(fingerprint)),
      rejections.map(({ reason }) => reason),
      rejections.map(({ createdAt }) => createdAt),
      last,
    ],
  ];
}

export function changeOf(stocks: readonly Omit<Stock, "priceCents">[]): Write {
  return [
    setStocks,
    [
      stocks.map(({ name }) => name),
      stocks.map(({ quantity }) => quantity),
      stocks.map(({ volume }) => volume),
      stocks.map(({ rev }) => rev),
    ],
  ];
}

/** A text that PostgreSQL can store: it has no NUL. Only the name of a stock that can't exist contains one. */
export function storable(text: string): string {
  return /[\0\\]/.test(text) ? text.replaceAll("\\", "\\\\").replaceAll("\0", "\\0") : text;
}

/** The text that `storable` was given. */
export function unstored(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === "0" ? "\0" : escaped));
}
