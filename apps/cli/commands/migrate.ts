/** `npm run migrate`: creates the databases, or brings them up to date. */

import { migrateAll, migrateReplica } from "@stock-bazaar/db/migrate";
import { type Config, readConfig } from "@stock-bazaar/process/config";
import { CommandError, exitCodes } from "../errors.ts";

export interface MigrateOptions {
  readonly replica?: string;
  readonly json?: boolean;
}

export async function migrate({ replica, json = false }: MigrateOptions): Promise<void> {
  const config = readConfig(process.env);
  const migrated =
    replica === undefined ? await migrateAll(config) : [await migrateReplica(config, knownId(config, replica))];
  if (json) {
    process.stdout.write(`${JSON.stringify(migrated, undefined, 2)}\n`);
    return;
  }
  for (const { file, migrations } of migrated) {
    process.stdout.write(`${file}: ${migrations === 0 ? "up to date" : `migrations applied: ${migrations}`}\n`);
  }
}

function knownId({ replicas }: Config, text: string): number {
  const id = [...replicas.keys()].find((known) => String(known) === text);
  if (id !== undefined) return id;
  const ids = [...replicas.keys()].join(", ");
  throw new CommandError(
    `--replica must be one of ${ids}, the ids in ORDER_REPLICAS (got ${JSON.stringify(text)})`,
    exitCodes.usage,
  );
}
