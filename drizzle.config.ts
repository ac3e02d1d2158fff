/** drizzle-kit works on one database at a time: `db/generate.ts` runs it for each, named by BAZAAR_DATABASE. */

import { defineConfig } from "drizzle-kit";

const schemas = { catalog: "./db/catalog-tables.ts", orders: "./db/order-tables.ts" };
const database = process.env.BAZAAR_DATABASE === "orders" ? "orders" : "catalog";

export default defineConfig({ dialect: "sqlite", schema: schemas[database], out: `./migrations/${database}` });
