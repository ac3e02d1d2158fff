/**
 * The obvious first implementation, and the baseline of the benchmark: the same five processes and databases, with one
 * unary call and one commit per trade and hop, and no batches.
 *
 * front-end → leader → catalog (one transaction), then the leader's own order (one commit), then each follower (one
 * commit each), then the reply. Every commit has the same settings as the bazaar's. There is no failover.
 *
 * `bun apps/bench/naive.ts catalog|follower|leader|front-end`, with the environment of the bazaar's services.
 */

import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { prepareInsert } from "@stock-bazaar/sqlite/insert-rows";
import { openOrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { orderColumns, orderValues } from "@stock-bazaar/sqlite/order-rows";
import { systemClock, wallTime } from "@stock-bazaar/shared/clock";
import { type Config, readReplicaId } from "@stock-bazaar/process/config";
import type { Order } from "@stock-bazaar/shared/domain";
import { callUnary } from "@stock-bazaar/transport/client";
import { serveUnary, startServer } from "@stock-bazaar/transport/server";
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

type KeyedTrade = TradeBody & { readonly key: string };

/** Without an order, the trade was rejected. */
interface Traded {
  readonly order?: Order;
}

/** Served by the catalog, and by the leader to the front-end. */
const trade = jsonMethod<KeyedTrade, Traded>("/bazaar.naive.Naive/Trade");
const append = jsonMethod<Order, object>("/bazaar.naive.Naive/Append");

await runRole("naive", {
  catalog: runCatalog,
  follower: runFollower,
  leader: runLeader,
  "front-end": runFrontEnd,
});

async function runCatalog(config: Config): Promise<Stop> {
  const ledger = await chosenLedgerStore(config).open();
  // The ledger accepts trades only in a term; here the first term lasts.
  const { term: lastTerm } = await ledger.register();
  const { term } = await ledger.acquire({ replica: leaderIdOf(config), term: lastTerm, last: undefined });
  const server = await startServer(config.listen.catalogs[0], {
    definition: { trade },
    implementation: {
      trade: serveUnary(async (keyedTrade: KeyedTrade): Promise<Traded> => {
        const trades = [{ ...keyedTrade, requestId: "" }];
        const { orders } = await ledger.apply({ last: undefined, term, trades, createdAt: wallTime(systemClock) });
        const [order] = orders;
        return order ? { order } : {};
      }),
    },
    drain: () => {},
  });
  return async () => {
    await server.stop(stopGraceMs);
    await ledger.close();
  };
}

async function runFollower(config: Config): Promise<Stop> {
  const replicaId = readReplicaId(process.env, config);
  const orders = openOrders(config, replicaId);
  const server = await startServer(listenAddressOf(config, replicaId), {
    definition: { append },
    implementation: {
      append: serveUnary(async (order: Order) => {
        orders.insert(order);
        return {};
      }),
    },
    drain: () => {},
  });
  return async () => {
    await server.stop(stopGraceMs);
    orders.close();
  };
}

async function runLeader(config: Config): Promise<Stop> {
  const leaderId = leaderIdOf(config);
  const orders = openOrders(config, leaderId);
  const catalog = await connect(config.catalogs[0]);
  const followers = await Promise.all(followerAddressesOf(config).map(connect));
  const server = await startServer(listenAddressOf(config, leaderId), {
    definition: { trade },
    implementation: {
      trade: serveUnary(async (keyedTrade: KeyedTrade): Promise<Traded> => {
        const { order } = await callUnary(catalog, trade, keyedTrade, config.rpcTimeoutMs);
        if (!order) return {};
        orders.insert(order);
        await Promise.all(followers.map((follower) => callUnary(follower, append, order, config.rpcTimeoutMs)));
        return { order };
      }),
    },
    drain: () => {},
  });
  return async () => {
    await server.stop(stopGraceMs);
    for (const client of [catalog, ...followers]) client.close();
    orders.close();
  };
}

async function runFrontEnd(config: Config): Promise<Stop> {
  const leader = await connect(addressOf(config, leaderIdOf(config)));
  const server = Bun.serve({
    hostname: config.listen.frontEnd.host,
    port: config.listen.frontEnd.port,
    development: false,
    routes: {
      "/orders": {
        POST: async (request) => {
          const body = await readTradeBody(request);
          if (body === undefined) return badRequest();
          const keyedTrade = { key: Bun.randomUUIDv7(), ...body };
          const { order } = await callUnary(leader, trade, keyedTrade, config.rpcTimeoutMs);
          if (!order) return Response.json({ error: { code: 400, message: "refused" } }, { status: 400 });
          return new Response(`{"data":{"transaction_number":${order.id}}}`, jsonReply);
        },
      },
    },
    fetch: () => new Response(null, { status: 404 }),
    error: (thrown) => Response.json({ error: { code: 503, message: String(thrown) } }, { status: 503 }),
  });
  return async () => {
    await server.stop();
    leader.close();
  };
}

function openOrders(config: Config, replicaId: number): { insert(order: Order): void; close(): void } {
  const database = openOrderDatabase(config.dataDir, replicaId, "write", config.orderSynchronous);
  const insert = prepareInsert(database.client, "orders", orderColumns);
  return {
    insert: (order) => insert([orderValues(order)]),
    close: () => database.close(),
  };
}
