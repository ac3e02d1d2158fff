/** Commands that make backups of the databases in DATA_DIR, and restore them. */

import type { Command } from "commander";
import type { BackupCommandOptions } from "../commands/backup.ts";
import type { RestoreCommandOptions } from "../commands/restore.ts";
import { define } from "../definition.ts";
import { filled, wholeNumber } from "../options.ts";

const keepMax = 100_000;

export function backupCommand(): Command {
  return define({
    usage: "backup",
    description: "copy the catalog and one replica into a new folder, and verify the copy; services may run meanwhile",
    examples: [
      ["bazaar backup", "into a folder of ./backups that is named by the time"],
      ["bazaar backup --to /mnt/backups --keep 30", "and remove all but the newest 30 of these databases"],
    ],
    exits: { 0: "the backup is complete and verified", 1: "there is no new backup; the message says why" },
  })
    .option(
      "--to <folder>",
      "folder of the backups, on another disk if possible",
      filled("the name of a folder"),
      "backups",
    )
    .option(
      "--keep <n>",
      "then remove older backups of these databases, so that this many are left (default: all)",
      wholeNumber(1, keepMax),
    )
    .option("--json", "print the result as JSON")
    .action(async (options: BackupCommandOptions) => (await import("../commands/backup.ts")).backup(options));
}

export function restoreCommand(): Command {
  return define({
    usage: "restore [folder]",
    description:
      "put a backup in place and add the orders that replicas got since then; without a folder, add them to the ledger that is there",
    examples: [
      ["bazaar restore backups/2026-11-30T08-00-00.000Z", "with the replicas' files in DATA_DIR; no service may run"],
      ["bazaar restore backups/2026-11-30T08-00-00.000Z --dry-run", "check everything, and change nothing"],
      [
        "bazaar restore backups/2026-11-30T08-00-00.000Z --from-services",
        "with replicas on other machines, which must run",
      ],
      ["bazaar restore", "after another tool has restored the ledger, or to finish a restore that was interrupted"],
    ],
    exits: { 0: "the ledger is in place and has the replicas' orders", 1: "nothing was changed; the message says why" },
  })
    .option(
      "--file <csv>",
      "CSV file of stocks that were added since the backup; default: DATA_DIR/stocks.csv",
      filled("the name of a file"),
    )
    .option("--from-services", "ask the replicas' running services at ORDER_REPLICAS instead of reading their files")
    .option("--dry-run", "check everything and print what would be restored, but change nothing")
    .option("--json", "print the result as JSON")
    .action(async (folder: string | undefined, options: RestoreCommandOptions) =>
      (await import("../commands/restore.ts")).restore(folder, options),
    );
}
