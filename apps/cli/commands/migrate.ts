/** `npm run migrate`: creates the databases, or brings them up to date. */

import { migrateAll, migrateReplica } from "@stock-bazaar/db/migrate";
import { type Config, readConfig } from "@stock-bazaar/shared/config";
import { Command } from "commander";
import { CommandError, exitCodes } from "../errors.ts";

export function migrateCommand(): Command {
  return new Command("migrate")
    .description("create the databases in DATA_DIR, or bring them up to date")
    .option("--replica <id>", "only that of this order replica: for a machine whose catalog is elsewhere")
    .action(({ replica }: { replica?: string }) => {
      const config = readConfig(process.env);
      const migrated = replica === undefined ? migrateAll(config) : [migrateReplica(config, knownId(config, replica))];
      for (const { file, migrations } of migrated) {
        process.stdout.write(`${file}: ${migrations === 0 ? "up to date" : `migrations applied: ${migrations}`}\n`);
      }
    });
}

function knownId({ replicas }: Config, text: string): number {
  const id = [...replicas.keys()].find((known) => String(known) === text);
  if (id !== undefined) return id;
  const ids = [...replicas.keys()].join(", ");
  throw new CommandError(
    `--replica is "${text}": allowed is one of ${ids} (the ids in ORDER_REPLICAS)`,
    exitCodes.usage,
  );
}
