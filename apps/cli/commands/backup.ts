/** `npm run backup`: copies the catalog and one replica into a new folder, and verifies the copy. */

import { type Backup, makeBackup } from "@stock-bazaar/db/backup/make-backup";
import { isLoopback } from "@stock-bazaar/process/addresses";
import { advice } from "@stock-bazaar/process/advice";
import { type Config, readConfig } from "@stock-bazaar/process/config";
import { withoutPassword } from "@stock-bazaar/process/ledger-url";
import { print } from "../output.ts";
import { requireWritable } from "../writable.ts";

export interface BackupCommandOptions {
  readonly to: string;
  readonly keep?: number;
  readonly json?: boolean;
}

export async function backup({ to, keep, json = false }: BackupCommandOptions): Promise<void> {
  const config = readConfig(process.env);
  requireWritable("--to", to, "folder");
  const isCatalogElsewhere = config.catalogs.every((address) => !isLoopback(address));
  const made = await makeBackup(config, { to, keep, at: new Date(), isCatalogElsewhere });
  print(json ? `${JSON.stringify(made, undefined, 2)}\n` : describe(made, config));
}

function describe({ folder, manifest, removed }: Backup, { ledgerUrl }: Config): string {
  const { ledger, replica } = manifest;
  const without =
    ledgerUrl === undefined
      ? "Not in it: catalog.db, which is on another machine: back it up there."
      : `Not in it: the ledger on ${withoutPassword(ledgerUrl)}: ${advice.backUpServer}.`;
  const lines = [
    `${folder}: verified`,
    ...(ledger ? [`catalog.db: ${extent(ledger.head)}`] : [without]),
    ...(replica
      ? [`order-${replica.id}.db: ${extent(replica.lastId)}`]
      : ["Not in it: a replica, as none has its file here. Its service refills a lost one."]),
    ...removed.map((old) => `Removed: ${old}`),
  ];
  return `${lines.join("\n")}\n`;
}

function extent(lastId: number): string {
  return lastId === 0 ? "no orders yet" : `orders 1 to ${lastId}`;
}
