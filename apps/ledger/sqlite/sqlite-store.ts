/**
 * The ledger's store in SQLite: one file in a folder. Modules that only tools need are imported when they are used, as
 * they load a query builder that no service needs.
 */

import { explaining } from "@stock-bazaar/sqlite/connection";
import { notedDamage, noteDamage } from "@stock-bazaar/sqlite/damage";
import { watchFile } from "@stock-bazaar/sqlite/file-watch";
import {
  filesOf,
  isMissing,
  requireFolderOf,
  requireWritableDatabase,
  requireWritableFolderOf,
} from "@stock-bazaar/sqlite/files";
import { defaultPatience } from "@stock-bazaar/sqlite/patient-writes";
import { lockForService, lockIfFree } from "@stock-bazaar/sqlite/service-lock";
import { systemClock } from "@stock-bazaar/shared/clock";
import type { LedgerStore } from "../store.ts";
import { catalogFile, openCatalogDatabase } from "./database.ts";
import { createSqliteLedger } from "./sqlite-ledger.ts";
import { readCatalog } from "./view.ts";

export function sqliteLedgerStore(dataDir: string): LedgerStore {
  const file = catalogFile(dataDir);
  return {
    name: file,
    files: filesOf(file),
    isMissing: async () => isMissing(file),
    migrate: async () => (await import("@stock-bazaar/sqlite/migrations")).migrateFile(file, "catalog"),
    async open({ broken = () => {}, clock = systemClock, patienceMsMax = Number.POSITIVE_INFINITY } = {}) {
      const patienceMs = Math.min(defaultPatience.patienceMs, patienceMsMax);
      const noted = (error: unknown) => {
        noteDamage(file, error);
        broken(error);
      };
      return createSqliteLedger(openCatalogDatabase(dataDir), noted, { clock, patienceMs });
    },
    async requireUsable() {
      requireFolderOf(file);
      if (isMissing(file)) return;
      requireWritableFolderOf(file);
      requireWritableDatabase(file);
      const damage = notedDamage("catalog", file);
      if (damage) throw damage;
    },
    async lock() {
      const unlock = lockForService(file);
      return async () => unlock();
    },
    async lockIfFree() {
      const unlock = lockIfFree(file);
      return unlock && (async () => unlock());
    },
    watch: (clock, gone) => watchFile(file, clock, gone),
    read: (look) => readCatalog(dataDir, look),
    check: async (copies, seen) => (await import("./check.ts")).checkCatalog(dataDir, copies, seen),
    async addStocks(stocks, beforeCommit) {
      const { addStocks } = await import("./stocks.ts");
      const catalog = openCatalogDatabase(dataDir);
      try {
        return explaining(file, catalog.kind, () => addStocks(catalog, stocks, beforeCommit));
      } finally {
        catalog.close();
      }
    },
    fillEmpty: async (content, beforeCommit) => (await import("./fill.ts")).fillCatalog(dataDir, content, beforeCommit),
    replaceWith: async (content) => (await import("./replace.ts")).replaceCatalog(dataDir, content),
    continueWith: async (pages) => (await import("./continue.ts")).continueCatalog(dataDir, pages),
    copyFile: async (folder) =>
      (await import("@stock-bazaar/sqlite/online-copy")).copyOnline("catalog", file, catalogFile(folder)),
    copyFrom: async (source, compare) => (await import("./copy.ts")).copyCatalog(dataDir, source, compare),
  };
}
