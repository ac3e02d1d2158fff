import { requireNoLostCatalog } from "@stock-bazaar/db/history";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/db/open";
import { seed } from "@stock-bazaar/db/seed";
import { readConfig } from "@stock-bazaar/shared/config";
import { Command } from "commander";

export function seedCommand(): Command {
  return new Command("seed")
    .description("add stocks to the catalog; those that it has are left as they are")
    .option("--file <csv>", "a CSV file with the columns name,price,quantity, in place of db/stocks.csv")
    .action(({ file }: { file?: string }) => {
      const config = readConfig(process.env);
      const { dataDir } = config;
      requireNoLostCatalog(config);
      const catalog = openCatalogDatabase(dataDir);
      try {
        const { added, kept } = seed(catalog, file);
        process.stdout.write(`${catalogFile(dataDir)}: stocks added: ${added}, kept as they were: ${kept}\n`);
      } finally {
        catalog.close();
      }
    });
}
