import { migrateFile, openOrdersInMemory } from "@stock-bazaar/db/migrations";
import { openOrderDatabase, orderFile } from "@stock-bazaar/db/open";
import { createSqliteOrderLog } from "@stock-bazaar/order/order-log-sqlite";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { orderLogContract } from "./order-log.ts";

orderLogContract("in SQLite, in memory", { survives: false }, async () => ({
  log: createSqliteOrderLog(openOrdersInMemory()),
}));

orderLogContract("in SQLite, in a file", { survives: true }, async () => {
  const folder = temporaryFolder();
  migrateFile(orderFile(folder, 1), "orders");
  return {
    log: createSqliteOrderLog(openOrderDatabase(folder, 1)),
    reopen: async () => createSqliteOrderLog(openOrderDatabase(folder, 1)),
  };
});
