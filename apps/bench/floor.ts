/**
 * The floor under the bazaar's costs: the same five processes, streams, batches and files, with no rule but durability
 * (R5 with one copy). No system of this shape can take less time; the time that the bazaar takes beyond it is the price
 * of its rules.
 *
 * front-end → leader → catalog, which commits and syncs, then the leader's database, which commits without a sync, then
 * the reply. The followers receive the batch too, but nothing waits for them. A trade that is sent twice executes twice,
 * stock isn't checked, a dead process stays dead, and a lookup returns a constant.
 *
 * `bun apps/bench/floor.ts catalog|follower|leader|front-end`, with the environment of the bazaar's services.
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
import type { Address, ListenAddress } from "@stock-bazaar/process/addresses";
import { type Config, readReplicaId } from "@stock-bazaar/process/config";
import { openDuplex } from "@stock-bazaar/transport/client";
import { serveDuplex, startServer } from "@stock-bazaar/transport/server";
import {
  addressOf,
  connect,
  followerAddressesOf,
  textMethod,
  leaderIdOf,
  listenAddressOf,
  runRole,
  type Stop,
  stopGraceMs,
} from "./processes.ts";
import { badRequest, jsonReply, readTradeBody, type TradeBody } from "./trade-body.ts";

type Trade = TradeBody & { readonly key: string };

/** The trades of a batch, as JSON. The front-end writes them once; the leader passes them on unread. */
type TradesText = string;

/** What the catalog adds to the trades: the id of the first order, and the time. */
interface Numbered {
  readonly firstId: number;
  readonly createdAt: string;
}

const tradesMethod = textMethod("/bazaar.floor.Floor/Trades");
const ordersMethod = textMethod("/bazaar.floor.Floor/Orders");
/** The price of every order: this system doesn't read the price of a stock. */
const priceCents = 1;
const tradesWaitingMax = 10_000;
const stockBody = '{"data":{"name":"GameStart","price":15.99,"quantity":100}}';

await runRole("floor", {
  catalog: runCatalog,
  follower: runFollower,
  leader: runLeader,
  "front-end": runFrontEnd,
});

/** Numbers the orders. Returns when they are on the disk. */
async function runCatalog({ dataDir, listen }: Config): Promise<Stop> {
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
  const write = client.transaction((text: TradesText): Numbered => {
    const numbered = { firstId: head + 1, createdAt: wallTime(systemClock) };
    head += insert(numbered, text);
    moveStocks.run(numbered.firstId);
    setHead.run(head);
    return numbered;
  });
  return serve(listen.catalogs[0], tradesMethod, async (text) => JSON.stringify(write.immediate(text)), database);
}

async function runFollower(config: Config): Promise<Stop> {
  const replicaId = readReplicaId(process.env, config);
  const copy = openCopy(config, replicaId);
  return serve(listenAddressOf(config, replicaId), ordersMethod, async (text) => copy.store(text), copy);
}

async function runLeader(config: Config): Promise<Stop> {
  const leaderId = leaderIdOf(config);
  const own = openCopy(config, leaderId);
  const catalog = await openRemote(config.catalogs[0], tradesMethod);
  const followers = await Promise.all(followerAddressesOf(config).map((address) => openRemote(address, ordersMethod)));
  const trade = async (text: TradesText) => {
    const numbered = await catalog.call(text);
    const orders = `${numbered}\n${text}`;
    own.store(orders);
    // Later, so that the reply leaves first.
    systemClock.soon(() => {
      for (const follower of followers) follower.send(orders);
    });
    return numbered;
  };
  const close = () => {
    for (const each of [catalog, ...followers, own]) each.close();
  };
  return serve(listenAddressOf(config, leaderId), tradesMethod, trade, { close });
}

interface Copy {
  /** Stores the catalog's answer and, on the next line, the trades. Returns when they are committed, but not synced. */
  store(text: string): undefined;
  close(): void;
}

/** A replica's database. */
function openCopy({ dataDir }: Config, replicaId: number): Copy {
  const database = openOrderDatabase(dataDir, replicaId, "write", "NORMAL");
  const insert = prepareOrders(database.client, "orders");
  const write = database.client.transaction((text: string) => {
    const end = text.indexOf("\n");
    insert(JSON.parse(text.slice(0, end)) as Numbered, text.slice(end + 1));
  });
  return {
    store(text) {
      write.immediate(text);
    },
    close: () => database.close(),
  };
}

async function runFrontEnd(config: Config): Promise<Stop> {
  const leader = await openRemote(addressOf(config, leaderIdOf(config)), tradesMethod);
  const batcher = new Batcher<Trade, number>({
    ...tradeCalls,
    clock: systemClock,
    queueMax: tradesWaitingMax,
    send: async (trades) => {
      const { firstId } = JSON.parse(await leader.call(JSON.stringify(trades))) as Numbered;
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

/** The returned function returns how many orders it inserted. SQL by hand, as in the bazaar's own stores. */
function prepareOrders(client: SqliteClient, table: "ledger" | "orders") {
  const insert = prepareInsert(client, table, orderColumns);
  return ({ firstId, createdAt }: Numbered, text: TradesText): number => {
    const trades = JSON.parse(text) as readonly Trade[];
    insert(
      trades.map((trade, index) => orderValues({ id: firstId + index, ...trade, priceCents, term: 1, createdAt })),
    );
    return trades.length;
  };
}

/** `handle` answers the messages of a stream in their order; a message that it answers with `undefined` has no reply. */
async function serve(
  address: ListenAddress,
  method: MethodDefinition<string, string>,
  handle: (text: string) => Promise<string | undefined>,
  owned: { close(): void },
): Promise<Stop> {
  const server = await startServer(address, {
    definition: { method },
    implementation: {
      method: serveDuplex<string, string, string, string>(
        (caller) => ({
          send: (text) =>
            void handle(text).then((reply) => {
              if (reply !== undefined) caller.message(reply);
            }),
          close() {},
        }),
        (text) => text,
        (reply) => reply,
      ),
    },
    drain: () => {},
  });
  return async () => {
    await server.stop(stopGraceMs);
    owned.close();
  };
}

interface Remote {
  send(text: string): void;
  /** Resolves with the reply. The replies of a stream come in the order of its calls. */
  call(text: string): Promise<string>;
  close(): void;
}

async function openRemote(address: Address, method: MethodDefinition<string, string>): Promise<Remote> {
  const client = await connect(address);
  const waiting: ((reply: string) => void)[] = [];
  const stream = openDuplex<string, string, string, string>(
    client,
    method,
    { message: (reply) => waiting.shift()?.(reply), ended() {} },
    (text) => text,
    (reply) => reply,
  );
  return {
    send: (text) => stream.send(text),
    call(text) {
      stream.send(text);
      return new Promise((resolve) => waiting.push(resolve));
    },
    close() {
      stream.close();
      client.close();
    },
  };
}
