import { migrateAll } from "@stock-bazaar/db/migrate";
import { readConfig } from "@stock-bazaar/shared/config";
import { Command } from "commander";

export function migrateCommand(): Command {
  return new Command("migrate").description("create the databases in DATA_DIR, or bring them up to date").action(() => {
    for (const { file, migrations } of migrateAll(readConfig(process.env))) {
      process.stdout.write(`${file}: ${migrations === 0 ? "up to date" : `migrations applied: ${migrations}`}\n`);
    }
  });
}
