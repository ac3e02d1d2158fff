/**
 * The way of a trade with nothing on it: five processes, their messages, their databases, and no rule that is kept. What
 * it takes, nothing of this shape can do without on a machine; what the bazaar takes beyond it is the price of its rules.
 *
 * front-end → leader → catalog, then the leader's own database beside both followers, then the reply, in batches like
 * the bazaar's. Whoever asks twice trades twice, stock may fall below zero, and what dies stays dead. A lookup is answered
 * with a constant.
 *
 * `bun apps/bench/bare.ts catalog|follower|leader|front-end messages|rows|synced`, with the environment of the bazaar's
 * services. `messages` stores nothing; `rows` stores, and doesn't wait for the disk.
 */

import type { MethodDefinition } from "@grpc/grpc-js";
import type { SqliteClient } from "@stock-bazaar/sqlite/connection";
import { prepareInsert } from "@stock-bazaar/sqlite/insert-rows";
import { openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { orderColumns, orderValues } from "@stock-bazaar/sqlite/order-rows";
import { Batcher } from "@stock-bazaar/front-end/batcher";
import { tradeCalls } from "@stock-bazaar/front-end/trades";
import { systemClock, wallTime } from "@stock-bazaar/shared/clock";
import { type Address, type Config, readReplicaId } from "@stock-bazaar/process/config";
import type { Order } from "@stock-bazaar/shared/domain";
import { openDuplex } from "@stock-bazaar/transport/client";
import { serveDuplex, startServer } from "@stock-bazaar/transport/server";
import { type AddressVariables, catalogVariables, replicaVariables } from "@stock-bazaar/process/listen-error";
import { addressOf, connect, followerAddressesOf, leaderIdOf, runRole, type Stop, stopGraceMs } from "./processes.ts";
import { badRequest, jsonReply, readTradeBody, type TradeBody } from "./trade-body.ts";

interface Batch {
  /** Of the stream. */
  readonly sequence: number;
  /** 0: not numbered yet. */
  readonly firstId: number;
  readonly createdAt: string;
  readonly trades: readonly (TradeBody & { readonly key: string })[];
}

type Numbered = Pick<Batch, "sequence" | "firstId">;

/** A stream of batches each way in JSON, as there is no message to agree on with anybody. */
const batches: MethodDefinition<Batch, Numbered> = {
  path: "/bazaar.bare.Bare/Batches",
  requestStream: true,
  responseStream: true,
  requestSerialize: toBytes,
  requestDeserialize: (bytes) => JSON.parse(bytes.toString()) as Batch,
  responseSerialize: toBytes,
  responseDeserialize: (bytes) => JSON.parse(bytes.toString()) as Numbered,
};

/** Nothing is decided, so nobody asks what a stock costs. */
const priceCents = 1;
const stockBody = '{"data":{"name":"GameStart","price":15.99,"quantity":100}}';
const tradesWaitingMax = 10_000;
const [, store] = process.argv.slice(2);

await runRole("bare", { catalog: runCatalog, follower: runFollower, leader: runLeader, "front-end": runFrontEnd });

async function runCatalog(config: Config): Promise<Stop> {
  const database = openCatalogDatabase(config.dataDir);
  const { client } = database;
  const insert = prepareInsert(client, "ledger", orderColumns);
  const moveStock = client.prepare<[number, number, number, string]>(
    "UPDATE stocks SET quantity = quantity + ?, volume = volume + ?, rev = ? WHERE name = ?",
  );
  const setHead = client.prepare<[number]>("UPDATE register SET head = ?");
  const write = storing(client, (batch) => {
    insert(ordersOf(batch).map(orderValues));
    const moves = new Map<string, { quantity: number; volume: number }>();
    for (const { name, type, quantity } of batch.trades) {
      const move = moves.get(name) ?? { quantity: 0, volume: 0 };
      move.quantity += type === "buy" ? -quantity : quantity;
      move.volume += quantity;
      moves.set(name, move);
    }
    for (const [name, { quantity, volume }] of moves) moveStock.run(quantity, volume, batch.firstId, name);
    setHead.run(batch.firstId + batch.trades.length - 1);
  });
  let head = 0;
  const stop = await serveBatches(config.catalog, catalogVariables, async (batch) => {
    const firstId = head + 1;
    head += batch.trades.length;
    write({ ...batch, firstId });
    return firstId;
  });
  return async () => {
    await stop();
    database.close();
  };
}

async function runFollower(config: Config): Promise<Stop> {
  const replicaId = readReplicaId(process.env, config);
  const orders = openOrders(config, replicaId);
  const stop = await serveBatches(addressOf(config, replicaId), replicaVariables, async (batch) => {
    orders.append(batch);
    return batch.firstId;
  });
  return async () => {
    await stop();
    orders.close();
  };
}

async function runLeader(config: Config): Promise<Stop> {
  const leaderId = leaderIdOf(config);
  const orders = openOrders(config, leaderId);
  const catalog = await openBatches(config.catalog);
  const followers = await Promise.all(followerAddressesOf(config).map(openBatches));
  const stop = await serveBatches(addressOf(config, leaderId), replicaVariables, async (batch) => {
    const firstId = await catalog.send(batch);
    const numbered = { ...batch, firstId };
    const copies = followers.map((follower) => follower.send(numbered));
    // The messages leave before the disk is waited for.
    await new Promise<void>((resolve) => systemClock.soon(resolve));
    orders.append(numbered);
    await Promise.all(copies);
    return firstId;
  });
  return async () => {
    await stop();
    for (const stream of [catalog, ...followers]) stream.close();
    orders.close();
  };
}

async function runFrontEnd(config: Config): Promise<Stop> {
  const leader = await openBatches(addressOf(config, leaderIdOf(config)));
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
    hostname: config.frontEnd.host,
    port: config.frontEnd.port,
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

/** As a hit in the bazaar's cache is told, without a cache. */
function lookedUp(request: Request): Response {
  const requestId = request.headers.get("x-request-id") ?? Bun.randomUUIDv7();
  const headers = { ...jsonReply.headers, etag: '"1"', "x-cache": "hit", "x-request-id": requestId };
  return new Response(stockBody, { headers });
}

function openOrders(config: Config, replicaId: number): { append(batch: Batch): void; close(): void } {
  const database = openOrderDatabase(config.dataDir, replicaId);
  const insert = prepareInsert(database.client, "orders", orderColumns);
  return {
    append: storing(database.client, (batch) => insert(ordersOf(batch).map(orderValues))),
    close: () => database.close(),
  };
}

/** `write` in one transaction, as far as this system stores. */
function storing(client: SqliteClient, write: (batch: Batch) => void): (batch: Batch) => void {
  if (store === "messages") return () => {};
  if (store === "rows") client.pragma("synchronous = OFF");
  const transaction = client.transaction(write);
  return (batch) => transaction.immediate(batch);
}

function ordersOf({ firstId, createdAt, trades }: Batch): Order[] {
  return trades.map((trade, index) => ({ id: firstId + index, ...trade, priceCents, term: 1, createdAt }));
}

function toBytes(message: object): Buffer {
  return Buffer.from(JSON.stringify(message));
}

/** `number` answers with the number of the first trade. */
async function serveBatches(
  address: Address,
  variables: AddressVariables,
  number: (batch: Batch) => Promise<number>,
): Promise<Stop> {
  const server = await startServer(address, variables, {
    definition: { batches },
    implementation: {
      batches: serveDuplex<Batch, Numbered, Batch, Numbered>(
        (handlers) => ({
          send: (batch) =>
            void number(batch).then((firstId) => handlers.message({ sequence: batch.sequence, firstId })),
          close() {},
        }),
        (batch) => batch,
        (numbered) => numbered,
      ),
    },
    drain: () => {},
  });
  return () => server.stop(stopGraceMs);
}

interface Batches {
  /** Resolves with the number of the first trade. */
  send(batch: Omit<Batch, "sequence">): Promise<number>;
  close(): void;
}

async function openBatches(address: Address): Promise<Batches> {
  const client = await connect(address);
  const waiting = new Map<number, (firstId: number) => void>();
  let sequence = 0;
  const stream = openDuplex<Batch, Numbered, Batch, Numbered>(
    client,
    batches,
    {
      message({ sequence: answered, firstId }) {
        waiting.get(answered)?.(firstId);
        waiting.delete(answered);
      },
      ended() {},
    },
    (batch) => batch,
    (numbered) => numbered,
  );
  return {
    send(batch) {
      sequence += 1;
      stream.send({ ...batch, sequence });
      return new Promise((resolve) => waiting.set(sequence, resolve));
    },
    close() {
      stream.close();
      client.close();
    },
  };
}
