/**
 * drizzle-kit works on one database at a time: with BAZAAR_DATABASE=orders on that of the replica ORDER_ID in DATA_DIR,
 * with BAZAAR_DATABASE=postgres on the ledger's tables on PostgreSQL, otherwise on the catalog's file. `db/generate.ts`
 * runs `generate` for each; `check` and `studio` are for people.
 *
 * Its own `migrate` and `push` would leave files that no service accepts: they write neither the kind nor the number of
 * migrations into the header of a file (`db/sqlite/schema-version.ts`).
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "drizzle-kit";

const { BAZAAR_DATABASE, DATA_DIR = "data", ORDER_ID = "1" } = process.env;
const databases = {
  catalog: { schema: "./apps/ledger/sqlite/tables.ts", url: join(DATA_DIR, "catalog.db") },
  orders: { schema: "./apps/order-log/sqlite/tables.ts", url: join(DATA_DIR, `order-${ORDER_ID}.db`) },
  postgres: { schema: "./apps/ledger/postgres/tables.ts", url: "" },
};
const database = BAZAAR_DATABASE === "orders" || BAZAAR_DATABASE === "postgres" ? BAZAAR_DATABASE : "catalog";
const { schema, url } = databases[database];

const command = process.argv[2];
if (command === "migrate") {
  const { status } = spawnSync("apps/cli/bazaar", ["migrate"], { stdio: "inherit" });
  process.exit(status ?? 1);
}
if (command === "push") end("Tables must be changed by migrations (got push): npm run generate, then npm run migrate");
if (command === "studio") {
  // On Node the process would end with a segmentation fault and no message.
  if (process.versions.bun === undefined)
    end(`studio must run on Bun (got Node ${process.versions.node}): bun --bun drizzle-kit studio`);
  if (database === "postgres") end("studio must show a SQLite file (got postgres): psql shows a ledger on PostgreSQL");
  // drizzle-kit would create an empty one.
  if (!existsSync(url)) end(`studio must have a database (${url} does not exist): npm run migrate`);
}

function end(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

export default defineConfig({
  dialect: database === "postgres" ? "postgresql" : "sqlite",
  schema,
  out: `./migrations/${database}`,
  dbCredentials: { url },
});
