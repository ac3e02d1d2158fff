/**
 * The statements of the ledger on PostgreSQL, done on the SQLite database in which a simulation keeps its ledger. A statement
 * that isn't known here ends the run.
 */

import type { Value } from "@stock-bazaar/ledger/postgres/connection";
import type { Order } from "@stock-bazaar/shared/domain";
import { orderFields } from "@stock-bazaar/sqlite/order-rows";
import type { CatalogStore } from "./catalog-store.ts";
import { serverError } from "./shared-server.ts";

const stockFields = "name, price_cents AS priceCents, quantity, volume, rev";

export interface Done {
  readonly rows: object[];
  /** Default: the number of rows. */
  readonly count?: number;
  /** Applied when the transaction commits. */
  readonly write?: () => void;
}

type Run = (tables: SharedTables, values: readonly Value[]) => Done;

/** The columns of the register that SQLite's lacks. */
interface Extra {
  epoch: number;
  holder: string;
  beat: number;
  writes: number;
  lastRejection: number;
}

/** By the beginning of each text. The first that fits counts. */
const statements: readonly (readonly [start: string, run: (...args: [...Parameters<Run>, text: string]) => Done])[] = [
  ["SELECT term, leader, head, life", (tables) => ({ rows: [tables.register()] })],
  ["SELECT epoch, holder, beat, writes FROM register", ({ extra }) => ({ rows: [{ ...extra }] })],
  [
    "UPDATE register SET epoch = epoch + 1, holder = $1",
    ({ extra }, [holder, epoch, beat, writes]) =>
      extra.epoch === epoch && extra.beat === beat && extra.writes === writes
        ? {
            rows: [{ epoch: extra.epoch + 1 }],
            write: () => Object.assign(extra, { epoch: extra.epoch + 1, holder, beat: 0 }),
          }
        : { rows: [] },
  ],
  ["UPDATE register SET beat = beat + 1", ofEpoch((extra) => (extra.beat += 1))],
  ["UPDATE register SET head = head", ofEpoch(() => {})],
  ["UPDATE register SET holder = ''", ofEpoch((extra) => (extra.holder = ""))],
  [
    "UPDATE register SET term = $1, leader = $2, head = $3",
    ({ extra, change }, [term, leader, head, leaseMs, endedCleanly, lastRejection, writes]) => ({
      rows: [],
      write() {
        change(
          "UPDATE register SET term = ?, leader = ?, head = ?, lease_ms = ?, ended_cleanly = ?",
          term,
          leader,
          head,
          leaseMs,
          endedCleanly,
        );
        Object.assign(extra, { lastRejection, writes });
      },
    }),
  ],
  [
    'SELECT id, key, name, type, quantity, price_cents AS "priceCents", term, created_at AS "createdAt" FROM ledger WHERE key',
    listed(`SELECT ${orderFields} FROM ledger WHERE key IN`),
  ],
  [
    'SELECT id, key, name, type, quantity, price_cents AS "priceCents", term, created_at AS "createdAt" FROM ledger WHERE id =',
    reading(`SELECT ${orderFields} FROM ledger WHERE id = ?`),
  ],
  [
    'SELECT id, key, name, type, quantity, price_cents AS "priceCents", term, created_at AS "createdAt" FROM ledger WHERE id >',
    reading(`SELECT ${orderFields} FROM ledger WHERE id > ? ORDER BY id LIMIT ?`),
  ],
  [
    "SELECT key, fingerprint, reason FROM rejections",
    listed("SELECT key, fingerprint, reason FROM rejections WHERE key IN"),
  ],
  [
    'SELECT name, price_cents AS "priceCents", quantity, volume, rev FROM stocks WHERE name =',
    listed(`SELECT ${stockFields} FROM stocks WHERE name IN`),
  ],
  [
    'SELECT name, price_cents AS "priceCents", quantity, volume, rev FROM stocks WHERE name >=',
    reading(`SELECT ${stockFields} FROM stocks WHERE name >= ? ORDER BY name LIMIT ?`),
  ],
  [
    'SELECT name, price_cents AS "priceCents", quantity, volume, rev FROM stocks WHERE name >',
    reading(`SELECT ${stockFields} FROM stocks WHERE name > ? ORDER BY name LIMIT ?`),
  ],
  [
    'SELECT name, price_cents AS "priceCents", quantity, volume, rev FROM stocks WHERE quantity = 0',
    reading(`SELECT ${stockFields} FROM stocks WHERE quantity = 0 AND name > ? ORDER BY name LIMIT ?`),
  ],
  ["WITH same AS", compareAndSet],
  ["INSERT INTO ledger", insertOrders],
  ["INSERT INTO rejections", insertRejections],
  ["UPDATE stocks SET", (tables, columns) => setStocks(tables, columns)],
  [
    "SELECT place FROM rejections",
    reading("SELECT rowid AS place FROM rejections WHERE rowid <= ? ORDER BY rowid LIMIT ?"),
  ],
  [
    "DELETE FROM rejections",
    ({ change }, [places]) => ({
      rows: [],
      write: () =>
        change("DELETE FROM rejections WHERE rowid IN (SELECT value FROM json_each(?))", JSON.stringify(places)),
    }),
  ],
];

export class SharedTables {
  readonly extra: Extra = { epoch: 0, holder: "", beat: 0, writes: 0, lastRejection: 0 };
  readonly #store: CatalogStore;

  constructor(store: CatalogStore) {
    this.#store = store;
  }

  /** Whether a statement locks the register's row. */
  locks(text: string): boolean {
    return text.startsWith("UPDATE register") || text.endsWith("FOR UPDATE") || this.commits(text);
  }

  /** Whether a statement on its own waits for the disk. */
  commits(text: string): boolean {
    return text.startsWith("WITH same AS");
  }

  run(text: string, values: readonly Value[]): Done {
    const statement = statements.find(([start]) => text.startsWith(start));
    if (!statement) throw new Error(`a statement must be one of the simulated server's (got ${text})`);
    return statement[1](this, values, text);
  }

  /** All or nothing. */
  write(writes: readonly (() => void)[]): void {
    const { client } = this.#store.database;
    client.transaction(() => {
      for (const write of writes) write();
    })();
  }

  all<Row extends object>(sql: string, ...values: unknown[]): Row[] {
    return this.#store.database.client.prepare<unknown[], Row>(sql).all(...values);
  }

  readonly change = (sql: string, ...values: unknown[]): void => {
    this.#store.database.client.prepare(sql).run(...values);
  };

  register(): object {
    const [row] = this.all(`SELECT term, leader, head, life, first_term AS firstTerm, lease_ms AS leaseMs,
      ended_cleanly AS endedCleanly, (SELECT count(*) FROM stocks) AS stocks FROM register`);
    return { ...row, ...this.extra };
  }
}

function ofEpoch(write: (extra: Extra) => void): Run {
  return ({ extra }, [epoch]) =>
    extra.epoch === epoch ? { rows: [], count: 1, write: () => write(extra) } : { rows: [], count: 0 };
}

function reading(sql: string): Run {
  return (tables, values) => ({ rows: tables.all(sql, ...values) });
}

/** For a query whose value is a list. */
function listed(sql: string): Run {
  return (tables, [list]) => ({ rows: tables.all(`${sql} (SELECT value FROM json_each(?))`, JSON.stringify(list)) });
}

/** For a statement whose values are columns. */
function eachRow(sql: string): Run {
  return ({ change }, columns) => ({
    rows: [],
    write() {
      for (const row of rowsOf(columns)) change(sql, ...row);
    },
  });
}

const setStocks = eachRow(
  `UPDATE stocks SET quantity = new.quantity, volume = new.volume, rev = new.rev
    FROM (SELECT ? AS name, ? AS quantity, ? AS volume, ? AS rev) AS new WHERE stocks.name = new.name`,
);

/** A batch in one statement (`ledger/postgres/swap.ts`), if every condition holds that stands in its text. */
function compareAndSet(tables: SharedTables, values: readonly Value[], text: string): Done {
  const { extra } = tables;
  const [epoch, writes, mayBeKnown = [], term = 0, createdAt = "", keys = [], ...others] = values;
  const trades = [keys, ...others.slice(0, 4)];
  const [stocks = [], price = [], ...states] = others.slice(4);
  const before = rowsOf([stocks, price, ...states.slice(0, 3)]);
  const isAsSeen = (row: readonly unknown[]) =>
    tables.all("SELECT 1 FROM stocks WHERE (name, price_cents, quantity, volume, rev) = (?, ?, ?, ?, ?)", ...row)
      .length > 0;
  const lacks = (table: string, list: Value) =>
    tables.all(`SELECT 1 FROM ${table} WHERE key IN (SELECT value FROM json_each(?))`, JSON.stringify(list)).length ===
    0;
  const conditions: readonly (readonly [text: string, holds: () => boolean])[] = [
    ["epoch = $1", () => extra.epoch === epoch],
    ["writes = $2", () => extra.writes === writes],
    ["FROM ledger", () => lacks("ledger", mayBeKnown)],
    ["FROM rejections", () => lacks("rejections", keys)],
    ["JOIN stocks", () => before.every(isAsSeen)],
  ];
  if (conditions.some(([condition, holds]) => text.includes(condition) && !holds())) return { rows: [] };

  const [{ head } = { head: 0 }] = tables.all<{ head: number }>("SELECT head FROM register");
  const ids = rowsOf(trades).map((_, index) => head + 1 + index);
  const all = (value: Value) => ids.map(() => value) as Value;
  const added = insertOrders(tables, [ids, ...trades, all(term), all(createdAt)]);
  const moved = setStocks(tables, [stocks, ...states.slice(3)]);
  return {
    rows: [{}],
    write() {
      added.write?.();
      moved.write?.();
      tables.change("UPDATE register SET head = ?", head + ids.length);
      extra.writes += 1;
    },
  };
}

function insertOrders(tables: SharedTables, columns: readonly Value[]): Done {
  const rows = rowsOf(columns);
  const keys = rows.map(([, key]) => key);
  const ids = rows.map(([id]) => id);
  const same = tables.all<Order>(
    "SELECT id FROM ledger WHERE key IN (SELECT value FROM json_each(?)) OR id IN (SELECT value FROM json_each(?))",
    JSON.stringify(keys),
    JSON.stringify(ids),
  );
  if (same.length > 0) throw serverError("23505", "duplicate key value violates unique constraint");
  return eachRow(
    "INSERT INTO ledger (id, key, name, type, quantity, price_cents, term, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  )(tables, columns);
}

function insertRejections({ change }: SharedTables, values: readonly Value[]): Done {
  const last = Number(values[4]);
  return {
    rows: [],
    write() {
      for (const [index, row] of rowsOf(values.slice(0, 4)).entries())
        change(
          "INSERT INTO rejections (key, fingerprint, reason, created_at, rowid) VALUES (?, ?, ?, ?, ?)",
          ...row,
          last + 1 + index,
        );
    },
  };
}

function rowsOf(columns: readonly Value[]): unknown[][] {
  const lists = columns as readonly (readonly unknown[])[];
  return (lists[0] ?? []).map((_, index) => lists.map((column) => column[index]));
}
