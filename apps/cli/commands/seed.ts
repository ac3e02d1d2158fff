/** `npm run seed`: stocks for the catalog. */

import { requireNoLostCatalog } from "@stock-bazaar/db/recovery/history";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { seed as seedCatalog } from "@stock-bazaar/db/seed";
import { readConfig } from "@stock-bazaar/process/config";

export interface SeedOptions {
  readonly file?: string;
  readonly json?: boolean;
}

export function seed({ file: stocks, json = false }: SeedOptions): void {
  const config = readConfig(process.env);
  const { dataDir } = config;
  requireNoLostCatalog(config);
  const catalog = openCatalogDatabase(dataDir);
  const file = catalogFile(dataDir);
  try {
    const { added, kept } = seedCatalog(catalog, stocks);
    const told = `${file}: stocks added: ${added}, kept as they were: ${kept}`;
    process.stdout.write(`${json ? JSON.stringify({ file, added, kept }) : told}\n`);
  } finally {
    catalog.close();
  }
}
