/**
 * The floor under the bazaar's costs: the same five processes, streams, batches and files, with no rule but durability.
 * No system of this shape can take less time; the time that the bazaar takes beyond it is the price of its rules.
 *
 * front-end → leader → catalog, then the leader's database and both followers in parallel, then the reply. A trade that
 * is sent twice executes twice, stock isn't checked, a dead process stays dead, and a lookup returns a constant.
 *
 * `bun apps/bench/floor.ts catalog|follower|leader|front-end`, with the environment of the bazaar's services.
 */

import type { SqliteClient } from "@stock-bazaar/sqlite/connection";
import { prepareInsert } from "@stock-bazaar/sqlite/insert-rows";
import { openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { orderColumns, orderValues } from "@stock-bazaar/sqlite/order-rows";
import { Batcher } from "@stock-bazaar/front-end/batcher";
import { tradeCalls } from "@stock-bazaar/front-end/trades";
import { systemClock, wallTime } from "@stock-bazaar/shared/clock";
import type { Address, ListenAddress } from "@stock-bazaar/process/addresses";
import { type Config, readReplicaId } from "@stock-bazaar/process/config";
import { openDuplex } from "@stock-bazaar/transport/client";
import { serveDuplex, startServer } from "@stock-bazaar/transport/server";
import {
  addressOf,
  connect,
  followerAddressesOf,
  jsonMethod,
  leaderIdOf,
  listenAddressOf,
  runRole,
  type Stop,
  stopGraceMs,
} from "./processes.ts";
import { badRequest, jsonReply, readTradeBody, type TradeBody } from "./trade-body.ts";

interface Batch {
  /** The id of its first order; 0 before the catalog has numbered it. */
  readonly firstId: number;
  readonly createdAt: string;
  readonly trades: readonly (TradeBody & { readonly key: string })[];
}

/** A stage that a batch passes through: a database or another process. */
interface Hop {
  /**
   * Resolves with the id of the first order once the batch is durable. Calls resolve in the order in which they came.
   */
  send(batch: Batch): Promise<number>;
  close(): void;
}

const batches = jsonMethod<Batch, number>("/bazaar.floor.Floor/Batches", "stream");
/** The price of every order: this system doesn't read the price of a stock. */
const priceCents = 1;
const tradesWaitingMax = 10_000;
const stockBody = '{"data":{"name":"GameStart","price":15.99,"quantity":100}}';

await runRole("floor", {
  catalog: async (config) => serve(config.listen.catalog, openLedger(config)),
  follower: async (config) => {
    const replicaId = readReplicaId(process.env, config);
    return serve(listenAddressOf(config, replicaId), openCopy(config, replicaId));
  },
  leader: async (config) => serve(listenAddressOf(config, leaderIdOf(config)), await openLeader(config)),
  "front-end": runFrontEnd,
});

/** The catalog's database, which numbers the orders. */
function openLedger({ dataDir }: Config): Hop {
  const database = openCatalogDatabase(dataDir);
  const { client } = database;
  const insert = prepareOrders(client, "ledger");
  const moveStocks = client.prepare<[number]>(
    `UPDATE stocks SET quantity = stocks.quantity + moved.quantity, volume = stocks.volume + moved.volume, rev = moved.rev
     FROM (SELECT name, SUM(iif(type = 'buy', -quantity, quantity)) AS quantity, SUM(quantity) AS volume, MAX(id) AS rev
           FROM ledger WHERE id >= ? GROUP BY name) AS moved
     WHERE stocks.name = moved.name`,
  );
  const setHead = client.prepare<[number]>("UPDATE register SET head = ?");
  let head = 0;
  const write = client.transaction((batch: Batch) => {
    insert(batch);
    moveStocks.run(batch.firstId);
    setHead.run(head);
  });
  return {
    async send(batch) {
      const firstId = head + 1;
      head += batch.trades.length;
      write.immediate({ ...batch, firstId });
      return firstId;
    },
    close: () => database.close(),
  };
}

/** A replica's database. */
function openCopy({ dataDir }: Config, replicaId: number): Hop {
  const database = openOrderDatabase(dataDir, replicaId);
  const write = database.client.transaction(prepareOrders(database.client, "orders"));
  return {
    async send(batch) {
      write.immediate(batch);
      return batch.firstId;
    },
    close: () => database.close(),
  };
}

async function openLeader(config: Config): Promise<Hop> {
  const own = openCopy(config, leaderIdOf(config));
  const catalog = await openRemote(config.catalogs[0]);
  const followers = await Promise.all(followerAddressesOf(config).map(openRemote));
  return {
    async send(batch) {
      const firstId = await catalog.send(batch);
      const numbered = { ...batch, firstId };
      const copies = followers.map((follower) => follower.send(numbered));
      // Lets the messages leave before this process blocks on its own disk.
      await new Promise<void>((resolve) => systemClock.soon(resolve));
      await Promise.all([own.send(numbered), ...copies]);
      return firstId;
    },
    close() {
      for (const hop of [catalog, ...followers, own]) hop.close();
    },
  };
}

async function runFrontEnd(config: Config): Promise<Stop> {
  const leader = await openRemote(addressOf(config, leaderIdOf(config)));
  const batcher = new Batcher<Batch["trades"][number], number>({
    ...tradeCalls,
    clock: systemClock,
    queueMax: tradesWaitingMax,
    send: async (trades) => {
      const firstId = await leader.send({ firstId: 0, createdAt: wallTime(systemClock), trades });
      return trades.map((_, index) => firstId + index);
    },
  });
  const server = Bun.serve({
    hostname: config.listen.frontEnd.host,
    port: config.listen.frontEnd.port,
    development: false,
    async fetch(request) {
      if (request.method === "GET" && request.url.includes("/stocks/")) return lookedUp(request);
      if (request.method !== "POST") return new Response(null, { status: 404 });
      const trade = await readTradeBody(request);
      if (trade === undefined) return badRequest();
      const id = await batcher.push({ key: Bun.randomUUIDv7(), ...trade });
      return new Response(`{"data":{"transaction_number":${id}}}`, jsonReply);
    },
  });
  return async () => {
    await server.stop();
    leader.close();
  };
}

/** A reply with the same headers as a hit in the bazaar's cache. */
function lookedUp(request: Request): Response {
  const requestId = request.headers.get("x-request-id") ?? Bun.randomUUIDv7();
  const headers = { ...jsonReply.headers, etag: '"1"', "x-cache": "hit", "x-request-id": requestId };
  return new Response(stockBody, { headers });
}

/** SQL by hand, as in the bazaar's own stores, because this path is measured. */
function prepareOrders(client: SqliteClient, table: "ledger" | "orders"): (batch: Batch) => void {
  const insert = prepareInsert(client, table, orderColumns);
  return ({ firstId, createdAt, trades }) =>
    insert(
      trades.map((trade, index) => orderValues({ id: firstId + index, ...trade, priceCents, term: 1, createdAt })),
    );
}

async function serve(address: ListenAddress, hop: Hop): Promise<Stop> {
  const server = await startServer(address, {
    definition: { batches },
    implementation: {
      batches: serveDuplex<Batch, number, Batch, number>(
        (caller) => ({
          send: (batch) => void hop.send(batch).then((firstId) => caller.message(firstId)),
          close() {},
        }),
        (batch) => batch,
        (firstId) => firstId,
      ),
    },
    drain: () => {},
  });
  return async () => {
    await server.stop(stopGraceMs);
    hop.close();
  };
}

async function openRemote(address: Address): Promise<Hop> {
  const client = await connect(address);
  const waiting: ((firstId: number) => void)[] = [];
  const stream = openDuplex<Batch, number, Batch, number>(
    client,
    batches,
    { message: (firstId) => waiting.shift()?.(firstId), ended() {} },
    (batch) => batch,
    (firstId) => firstId,
  );
  return {
    send(batch) {
      stream.send(batch);
      return new Promise((resolve) => waiting.push(resolve));
    },
    close() {
      stream.close();
      client.close();
    },
  };
}
