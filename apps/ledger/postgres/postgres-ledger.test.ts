/** What only a ledger on a server can run into; what every ledger must do is in `test/contract/`. */

import { hostname } from "node:os";
import { eventually } from "@stock-bazaar/cluster/wait";
import { systemClock } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { expect, onTestFinished, test } from "vitest";
import { accepted, createdAt, tradeOf, tradesOf } from "../../../test/support/builders.ts";
import { rejectionCode } from "../../../test/support/observe.ts";
import { makeLedLedger } from "../../../test/support/led-ledger.ts";
import { backendsOf, newPostgresDatabase, runSql } from "../../../test/support/postgres.ts";
import { type AtCommit, startPostgresRelay } from "../../../test/support/postgres-relay.ts";
import type { LedgerStore } from "../store.ts";
import type { Connection } from "./connection.ts";
import { forService, forTools, inEpoch } from "./connection-use.ts";
import { connectTo } from "./hosts.ts";
import { hasEndedHere, holderName, readSign, type Sign, takeLedger, tryTake } from "./holder.ts";
import { postgresLedgerStore } from "./postgres-store.ts";

const terminateOthers = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()`;

/** A ledger with one stock, led since term 1, behind a relay. */
async function led() {
  const url = await newPostgresDatabase();
  const relay = await startPostgresRelay(url);
  const store = postgresLedgerStore(relay.url);
  const { ledger, broken } = await makeLedLedger(store);
  const apply = (...keys: string[]) =>
    ledger.apply({ term: 1, last: undefined, trades: keys.map((key) => tradeOf(key)), createdAt });
  return { url, relay, store, ledger, apply, broken };
}

/** How many ledgers the database holds, those that were moved aside too. */
async function ledgersIn(url: string): Promise<number> {
  const connection = await connectTo(url, forTools);
  const text = "SELECT count(*) AS ledgers FROM pg_namespace WHERE nspname LIKE 'bazaar%'";
  const { rows } = await connection.query<{ ledgers: number }>({ text });
  await connection.close();
  return rows[0]?.ledgers ?? 0;
}

async function connected(url: string, use = forTools): Promise<Connection> {
  const connection = await connectTo(url, use);
  onTestFinished(() => connection.close());
  return connection;
}

test.each<[by: string, AtCommit, before: readonly string[]]>([
  ["a transaction", "lost", []],
  ["a transaction", "answer lost", []],
  ["a transaction", "answer held", []],
  ["one statement", "lost", ["before"]],
  ["one statement", "answer lost", ["before"]],
  ["one statement", "answer held", ["before"]],
])(
  "if the commit of %s is %s, the batch is written once, and its caller receives the first outcomes",
  async (_by, fate, before) => {
    const { relay, ledger, apply, broken } = await led();
    for (const key of before) await apply(key);
    relay.atCommit = fate;
    const change = await apply("a", "b");
    const [a, b] = [before.length + 1, before.length + 2];
    expect(change).toMatchObject({
      outcomes: [accepted(a), accepted(b)],
      orders: [
        { id: a, key: "a" },
        { id: b, key: "b" },
      ],
      stocks: [{ name: "GameStart", quantity: 100 - b, rev: b }],
      head: b,
    });
    expect([relay.swaps > 0, relay.atCommit]).toEqual([before.length > 0, "passes"]);
    expect((await ledger.ordersAfter(0, 10)).map(({ key }) => key)).toEqual([...before, "a", "b"]);
    expect((await apply("c")).outcomes).toEqual([accepted(b + 1)]);
    expect(broken).toEqual([]);
  },
);

test("if the COMMIT is lost of a known trade that was sent as new, the trade keeps its first outcome", async () => {
  const { relay, ledger, broken } = await led();
  const apply = () => ledger.apply({ term: 1, last: undefined, trades: [tradeOf("a")], mayBeKnown: [], createdAt });
  await apply();
  relay.atCommit = "lost";
  expect((await apply()).outcomes).toEqual([accepted(1, true)]);
  expect(broken).toEqual([]);
});

test("a batch is one statement if all of its trades are new and accepted, of stocks that were traded before", async () => {
  const { relay, ledger, store, apply } = await led();
  await store.addStocks([{ name: "BoarCo", priceCents: 2000, quantity: 5 }], () => {});
  const applyOf = (name: string, quantity = 1) =>
    ledger.apply({ term: 1, last: undefined, trades: [tradeOf(crypto.randomUUID(), { name, quantity })], createdAt });
  const swapsOf = async (call: () => Promise<unknown>) => {
    const before = relay.swaps;
    await call();
    return relay.swaps - before;
  };
  expect(await swapsOf(() => apply("a"))).toBe(0);
  expect(await swapsOf(() => apply("b"))).toBe(1);
  expect(await swapsOf(() => applyOf("BoarCo"))).toBe(0);
  expect(await swapsOf(() => applyOf("BoarCo", 4))).toBe(1);
  expect(await swapsOf(() => applyOf("BoarCo"))).toBe(0);
  expect((await apply("b", "c")).outcomes).toEqual([accepted(2, true), accepted(5)]);
  expect((await ledger.ordersAfter(0, 9)).map(({ id, name }) => [id, name])).toEqual([
    [1, "GameStart"],
    [2, "GameStart"],
    [3, "BoarCo"],
    [4, "BoarCo"],
    [5, "GameStart"],
  ]);
});

test.each([
  ["price_cents", 1700],
  ["quantity", 50],
  ["volume", 7],
])("what a person changes in a stock counts for the next batch: %s", async (column, value) => {
  const { url, ledger, apply } = await led();
  await apply("a");
  await runSql(url, `UPDATE stocks SET ${column} = ${value}`);
  const { orders, stocks } = await apply("b");
  const before = { price_cents: 1599, quantity: 99, volume: 1, [column]: value };
  expect(orders).toMatchObject([{ id: 2, priceCents: before.price_cents }]);
  const after = { priceCents: before.price_cents, quantity: before.quantity - 1, volume: before.volume + 1, rev: 2 };
  expect(stocks).toMatchObject([after]);
  expect(await ledger.stocksFrom({ start: "", inclusive: true, limit: 9 })).toMatchObject([after]);
});

test.each<AtCommit>(["lost", "answer lost"])(
  "so it is with a lead that is acquired, if the COMMIT is %s",
  async (fate) => {
    const { relay, ledger } = await led();
    relay.atCommit = fate;
    expect(await ledger.acquire({ replica: 2, term: 1, last: undefined })).toMatchObject({ term: 2, leader: 2 });
    expect(await ledger.register()).toMatchObject({ term: 2, leader: 2 });
  },
);

test("a connection sets itself what durability depends on, whatever the database's defaults are", async () => {
  const { url } = await led();
  const database = new URL(url).pathname.slice(1);
  const defaults = { synchronous_commit: "off", default_transaction_isolation: "serializable" };
  for (const [name, value] of Object.entries(defaults))
    await runSql(url, `ALTER DATABASE ${database} SET ${name} = '${value}'`);
  for (const use of [forService, forTools]) {
    const connection = await connected(url, use);
    const { rows } = await connection.query({
      text: "SELECT current_setting('synchronous_commit') AS sync, current_setting('transaction_isolation') AS isolation",
    });
    expect(rows).toEqual([{ sync: "on", isolation: "read committed" }]);
  }
  for (const name of Object.keys(defaults)) await runSql(url, `ALTER DATABASE ${database} RESET ${name}`);
});

test("the server compiles no statement of a catalog", async () => {
  const { url } = await led();
  const connection = await connected(url, forService);
  const { rows } = await connection.query({ text: "SELECT reset_val, setting FROM pg_settings WHERE name = 'jit'" });
  expect(rows).toEqual([{ reset_val: "on", setting: "off" }]);
});

test("writes that wait meanwhile are done in their order afterwards", async () => {
  const { relay, apply } = await led();
  relay.atCommit = "answer lost";
  const changes = await Promise.all(["a", "b", "c"].map((key) => apply(key)));
  expect(changes.map(({ head }) => head)).toEqual([1, 2, 3]);
});

test("connections that the server ends are replaced, and no call fails", async () => {
  const { url, relay, ledger, apply } = await led();
  await ledger.register();
  const before = relay.connections;
  await runSql(url, terminateOthers);
  expect((await apply("a")).outcomes).toEqual([accepted(1)]);
  expect(await ledger.register()).toMatchObject({ head: 1 });
  expect(relay.connections).toBe(before + 2);
});

test("while another session locks the register, writes are refused as retryable and reads are answered", async () => {
  const { url, ledger, apply } = await led();
  const other = await connected(url);
  await other.run("BEGIN; SELECT 1 FROM register FOR UPDATE");
  const refused = await apply("a").catch((error: unknown) => BazaarError.from(error));
  expect(refused).toMatchObject({ code: "STORAGE_UNAVAILABLE", message: expect.stringContaining("lock timeout") });
  expect(await ledger.stocks(["GameStart"])).toHaveLength(1);
  expect(await ledger.register()).toMatchObject({ head: 0 });
  await other.run("ROLLBACK");
  await ledger.tryWrite();
  expect((await apply("a")).outcomes).toEqual([accepted(1)]);
});

test("a process that freezes in a transaction locks the register for about a second", async () => {
  const { relay, apply } = await led();
  const frozen = await connected(relay.url, forService);
  await frozen.run("BEGIN; SELECT 1 FROM register FOR UPDATE");
  const beganMs = performance.now();
  // Its first tries run into the lock.
  const tries = async (): Promise<unknown> => apply("a").catch(() => tries());
  expect(await tries()).toMatchObject({ outcomes: [accepted(1)] });
  expect(performance.now() - beganMs).toBeLessThan(5000);
  await eventually("its connection is ended", () => frozen.isLost);
});

test("where the server may fail over, every answer waits for a write that finds the own epoch", async () => {
  const { url } = await led();
  const broken: unknown[] = [];
  const ledger = await postgresLedgerStore(url, { failover: true }).open({ broken: (error) => broken.push(error) });
  onTestFinished(() => ledger.close());
  const trades = [tradeOf("a")];
  const calls = [
    // Remembered once it was traded: then the proof is what counts.
    () => Promise.all([ledger.stocks(["GameStart"]), ledger.prove?.()]),
    () => ledger.stocksFrom({ start: "", inclusive: true, limit: 9 }),
    () => ledger.ordersAfter(0, 9),
    () => ledger.register(),
    () => ledger.apply({ term: 1, last: undefined, trades, createdAt }),
    () => ledger.apply({ term: 1, last: undefined, trades: [], createdAt }),
  ];
  for (let round = 0; round < 2; round += 1) await Promise.all(calls.map((call) => call()));

  // Reads aren't blocked by the lock, but the proof is.
  const other = await connected(url);
  await other.run("BEGIN; SELECT 1 FROM register FOR UPDATE");
  const blocked = await Promise.all(calls.map((call) => rejectionCode(call())));
  expect(blocked).toEqual(calls.map(() => "STORAGE_UNAVAILABLE"));
  await other.run("ROLLBACK");
  await ledger.tryWrite();
  expect(await ledger.stocks(["GameStart"])).toHaveLength(1);

  const next = await postgresLedgerStore(url).open();
  onTestFinished(() => next.close());
  for (const call of calls) expect(await rejectionCode(call())).toBe("NOT_ACTIVE");
  expect(broken.length).toBeGreaterThan(0);
});

test("another timeline of the server is told once: when the ledger is opened, or while it is watched", async () => {
  const { url, store } = await led();
  const warnings: string[] = [];
  const timelines = () => warnings.filter((text) => text.includes("timeline"));
  const ledger = await store.open({ warn: (text) => warnings.push(text) });
  onTestFinished(() => ledger.close());
  expect(timelines()).toEqual([]);
  await runSql(url, "UPDATE register SET timeline = 7");
  onTestFinished(store.watch(systemClock, () => {}));
  await eventually("it is told", () => timelines().length > 0);
  expect(timelines()).toEqual([expect.stringContaining("the server's timeline must stay 7 (got 1)")]);
  const again = await store.open({ warn: (text) => warnings.push(text) });
  await again.close();
  expect(timelines()).toHaveLength(1);
});

test("a server that refuses writes for a while is no reason to end", async () => {
  const { url, ledger, apply, broken } = await led();
  const database = new URL(url).pathname.slice(1);
  await runSql(url, `ALTER DATABASE ${database} SET default_transaction_read_only = on; ${terminateOthers}`);
  const refused = await apply("a").catch((error: unknown) => BazaarError.from(error));
  expect(refused).toMatchObject({ code: "STORAGE_UNAVAILABLE", message: expect.stringContaining("refuses writes") });
  await expect(postgresLedgerStore(url).open()).rejects.toThrow(
    "refuses writes: default_transaction_read_only must be off (got on)",
  );
  expect(await postgresLedgerStore(url).read((view) => view.lastId())).toBe(0);
  await runSql(url, `ALTER DATABASE ${database} RESET default_transaction_read_only`);
  await ledger.tryWrite();
  expect((await apply("a")).outcomes).toEqual([accepted(1)]);
  expect(broken).toEqual([]);
});

test("once another process has taken the ledger over, nothing is written any more, and this process must end", async () => {
  const { url, ledger, apply, broken } = await led();
  await apply("a");
  const other = await postgresLedgerStore(url).open();
  onTestFinished(() => other.close());
  const writes = [
    apply("b"),
    ledger.acquire({ replica: 2, term: 1, last: undefined }),
    ledger.restock({ term: 1, last: undefined, quantity: 5, after: "", limit: 9, createdAt }),
    ledger.setLeases({ leaseMs: 9, endedCleanly: true }),
    ledger.forgetRejections(9, 9),
    ledger.tryWrite(),
    ledger.register(),
    ledger.leases(),
  ];
  expect(await Promise.all(writes.map((write) => rejectionCode(write)))).toEqual(writes.map(() => "NOT_ACTIVE"));
  expect(broken[0]).toMatchObject({ message: expect.stringContaining("was taken over by") });
  expect(await other.register()).toMatchObject({ term: 1, leader: 3, head: 1 });
  expect(await other.leases()).toEqual({ leaseMs: 0, endedCleanly: false });
});

test("a COMMIT without an answer is not done again by a process that was taken over meanwhile", async () => {
  const { url, relay, apply, broken } = await led();
  relay.atCommit = "answer held";
  const code = rejectionCode(apply("a"));
  await eventually("the batch is committed", () =>
    postgresLedgerStore(url).read(async (view) => (await view.lastId()) === 1),
  );
  const other = await postgresLedgerStore(url).open();
  onTestFinished(() => other.close());
  expect([await code, broken.length]).toEqual(["UNAVAILABLE", 1]);
  expect(await other.ordersAfter(0, 10)).toHaveLength(1);
});

test("a server that doesn't sync, or has only asynchronous standbys, is noticed when the ledger is opened", async () => {
  const { url } = await led();
  const warnings: string[] = [];
  const ledger = await postgresLedgerStore(url).open({ warn: (text) => warnings.push(text) });
  await ledger.close();
  // The server of the tests.
  expect(warnings).toEqual([expect.stringMatching(/fsync must be on \(got off\)/)]);
});

test("a watch ends when another process takes the ledger over", async () => {
  const { url, store } = await led();
  const gone = Promise.withResolvers<Error>();
  const end = store.watch(systemClock, gone.resolve);
  onTestFinished(end);
  const other = await postgresLedgerStore(url).open();
  onTestFinished(() => other.close());
  expect((await gone.promise).message).toContain("was taken over by");
});

test("names and trades with a NUL, which PostgreSQL can't store, are answered like unknown stocks", async () => {
  const { ledger } = await led();
  expect(await ledger.stocks(["Game\0Start", "GameStart"])).toHaveLength(1);
  const trades = [tradeOf("a", { name: "Game\0Start" }), tradeOf("b", { name: "back\\slash" }), tradeOf("c")];
  const apply = () => ledger.apply({ term: 1, last: undefined, trades, createdAt });
  const refused = { status: "rejected", reason: "INVALID_STOCKNAME" };
  expect((await apply()).outcomes).toMatchObject([{ ...refused, replayed: false }, refused, accepted(1)]);
  expect((await apply()).outcomes).toMatchObject([{ ...refused, replayed: true }, refused, accepted(1, true)]);
});

test("a large batch is one transaction", async () => {
  const { ledger } = await led();
  const trades = tradesOf("k", 10_000, { type: "sell" });
  const { outcomes, head } = await ledger.apply({ term: 1, last: undefined, trades, createdAt });
  expect([outcomes.length, head]).toEqual([10_000, 10_000]);
});

test("the ledger of a process that has died without a word is taken when the register has not changed for two seconds", async () => {
  const { url } = await led();
  await runSql(url, "UPDATE register SET epoch = epoch + 1, holder = 'process 1 on another machine'");
  const beganMs = performance.now();
  const unlock = await postgresLedgerStore(url).lockIfFree();
  expect(unlock).toBeDefined();
  expect(performance.now() - beganMs).toBeGreaterThan(1900);
  await unlock?.();
});

test("a process that takes the ledger over ends what the server still does for the one before", async () => {
  const { url } = await led();
  await runSql(url, "UPDATE register SET epoch = 41, holder = 'process 1 on another machine'");
  // As on a server without limits, or in a transaction that waits for its client.
  const limits = { idle_in_transaction_session_timeout: "0", transaction_timeout: "0" };
  const unlimited = { ...forService, settings: { ...forService.settings, ...limits } };
  const [frozen, other] = [await connected(url, inEpoch(unlimited, 41)), await connected(url, inEpoch(unlimited, 4))];
  await frozen.run("BEGIN; SELECT 1 FROM register FOR UPDATE");
  await other.run("BEGIN");
  const unlock = await postgresLedgerStore(url).lockIfFree();
  expect(unlock).toBeDefined();
  await eventually("its connection is ended", () => frozen.isLost);
  await other.run("COMMIT");
  await unlock?.();
});

test("the ledger of a process of this machine that has ended is taken at once", async () => {
  const { url } = await led();
  const ended = Bun.spawn(["true"]);
  await ended.exited;
  await runSql(url, `UPDATE register SET epoch = epoch + 1, holder = '${holderName(ended.pid)}'`);
  const beganMs = performance.now();
  const unlock = await postgresLedgerStore(url).lockIfFree();
  expect(performance.now() - beganMs).toBeLessThan(1000);
  await unlock?.();
});

test("a process of a machine or container with the same host name has not ended because its id is unknown here", async () => {
  const ended = Bun.spawn(["true"]);
  await ended.exited;
  expect(hasEndedHere(holderName(ended.pid))).toBe(true);
  const elsewhere = [`process ${ended.pid} on ${hostname()}`, holderName(ended.pid).replace(/\d\)$/, "x)")];
  expect(elsewhere.map(hasEndedHere)).toEqual([false, false]);
});

test("one of several catalogs tells of a failover, and notices that the ledger was deleted", async () => {
  const url = await newPostgresDatabase();
  const store = postgresLedgerStore(url);
  await store.migrate();
  const [warnings, gone]: [string[], Error[]] = [[], []];
  await store.standBy?.({ warn: (text) => warnings.push(text) });
  const endWatch = store.watch(systemClock, (error) => gone.push(error));
  onTestFinished(endWatch);
  await runSql(url, "UPDATE register SET epoch = 7, timeline = 9");
  const timelines = () => warnings.filter((text) => text.includes("the server's timeline must stay 9 (got 1)"));
  await eventually("it tells of the timeline", () => timelines().length > 0);
  expect(gone).toEqual([]);
  await runSql(url, "DROP SCHEMA bazaar CASCADE");
  await eventually("it notices", () => gone.length > 0);
  expect(gone[0]?.message).toContain("was deleted while it was in use");
});

test("of two that take a free ledger at the same time, one gets it", async () => {
  const { url } = await led();
  const take = () => takeLedger({ url, clock: systemClock, waits: false });
  const taken = await Promise.all([take(), take()]);
  const held = taken.flatMap((each) => (typeof each === "object" ? [each] : []));
  expect(held).toHaveLength(1);
  await held[0]?.release();
});

test.each<[what: string, change: (store: LedgerStore) => Promise<unknown>]>([
  ["replaced", (store) => store.replaceWith({ stocks: [], pages: [] })],
  ["filled", (store) => store.fillEmpty({ stocks: [], orders: () => [], quantities: new Map() }, () => {})],
  ["made a copy", (store) => store.read((view) => store.copyFrom(view, async () => {}))],
])("a ledger that another process has taken over from its lock is not %s", async (_what, change) => {
  const url = await newPostgresDatabase();
  const store = postgresLedgerStore(url);
  await store.migrate();
  const unlock = await store.lock();
  const { life } = await store.read((view) => view.register());
  await runSql(url, "UPDATE register SET epoch = epoch + 1, holder = 'process 7 on db2'");
  // Tools make a store of their own for each step.
  await expect(change(postgresLedgerStore(url))).rejects.toThrow(
    /^LEDGER_URL must be a database that no other service uses .*: another service uses it, process 7 on db2; nothing/,
  );
  await unlock();
  expect(await store.read((view) => view.register())).toMatchObject({ life });
});

test("a ledger that has appeared since its lock found none is not replaced while a service uses it", async () => {
  const url = await newPostgresDatabase();
  const store = postgresLedgerStore(url);
  const unlock = await store.lock();
  await store.migrate();
  await runSql(url, "UPDATE register SET epoch = 1, holder = 'process 7 on db2'");
  await expect(store.replaceWith({ stocks: [], pages: [] })).rejects.toThrow(
    "another service uses it, process 7 on db2",
  );
  await unlock();
});

test.each<[what: string, read: (store: LedgerStore, replace: () => Promise<unknown>) => Promise<unknown>]>([
  ["read", (store, replace) => store.read((view) => replace().then(() => view.lastId()))],
  ["checked", (store, replace) => store.check([], () => void replace())],
])("a ledger that is replaced while it is %s is not taken for an empty one", async (_what, read) => {
  const url = await newPostgresDatabase();
  const store = postgresLedgerStore(url);
  await store.migrate();
  const unlock = await store.lock();
  const holding = await connected(url);
  let replaced: Promise<unknown> = Promise.resolve();
  const replace = () => (replaced = store.replaceWith({ stocks: [], pages: [] }));
  // The check waits at its first table until the replacement is done.
  await holding.run("BEGIN; LOCK TABLE stocks IN ACCESS EXCLUSIVE MODE");
  const reading = read(store, replace).catch((error: Error) => error.message);
  await eventually("it is replaced", async () => (await ledgersIn(url)) === 2);
  await holding.run("COMMIT");
  expect(await reading).toMatch(/was replaced while it was read: run this again$/);
  await replaced;
  await unlock();
});

test("a takeover that waited while the ledger was replaced has not got the new one", async () => {
  const url = await newPostgresDatabase();
  const store = postgresLedgerStore(url);
  await store.migrate();
  const unlock = await store.lock();
  const standby = await connected(url, forService);
  const sign = (await readSign(standby)) as Sign;
  let taking: Promise<number | undefined> | undefined;
  async function* pages() {
    taking = tryTake(standby, sign, "a standby");
    await eventually(
      "it waits for the lock",
      async () => (await backendsOf(url, "wait_event_type = 'Lock'")).length > 0,
    );
    yield [];
  }
  await store.replaceWith({ stocks: [], pages: pages() });
  expect(await taking).toBe(undefined);
  await unlock();
});

test.each<[string, (url: URL) => void, RegExp]>([
  ["a server that isn't there", (url) => (url.port = "1"), /^postgres:.* can't be reached: .*: is LEDGER_URL right/],
  ["a database that isn't there", (url) => (url.pathname = "/nowhere"), /^LEDGER_URL must name a database that exists/],
  ["a user that isn't there", (url) => (url.username = "nobody"), /^LEDGER_URL must have a user and a password that/],
])("%s is named in one line", async (_what, change, message) => {
  const url = new URL(await newPostgresDatabase());
  change(url);
  url.password = "secret";
  const store = postgresLedgerStore(url.href);
  const calls = [store.isMissing, store.migrate, store.open, store.lock, () => store.read(async () => {})];
  for (const call of calls) {
    const error = await call().then(
      () => new Error("done"),
      (thrown: Error) => thrown,
    );
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(/secret|\n/);
  }
});

test("a ledger that a newer version has migrated is refused, and so is one that lacks a migration", async () => {
  const url = await newPostgresDatabase();
  const store = postgresLedgerStore(url);
  await store.migrate();
  await runSql(url, "INSERT INTO migrations SELECT max(number) + 1, 'later' FROM migrations");
  for (const call of [store.migrate, store.open, () => store.read(async () => {})])
    await expect(call()).rejects.toThrow("was migrated by a newer version of this program");
  await runSql(url, "DELETE FROM migrations");
  await expect(store.open()).rejects.toThrow(/has 0 of \d+ migrations: run `npm run migrate`/);
});
