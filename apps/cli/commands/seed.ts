/** `npm run seed`: adds stocks to the catalog. */

import { requireNoLostCatalog } from "@stock-bazaar/db/recovery/history";
import { seed as seedCatalog } from "@stock-bazaar/db/seed";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { readConfig } from "@stock-bazaar/process/config";

export interface SeedOptions {
  readonly file?: string;
  readonly json?: boolean;
}

export async function seed({ file: stocks, json = false }: SeedOptions): Promise<void> {
  const config = readConfig(process.env);
  await requireNoLostCatalog(config);
  const { added, kept } = await seedCatalog(config, stocks);
  const file = chosenLedgerStore(config).name;
  const report = `${file}: stocks added: ${added}, kept as they were: ${kept}`;
  process.stdout.write(`${json ? JSON.stringify({ file, added, kept }) : report}\n`);
}
