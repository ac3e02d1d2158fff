/** `npm run restore`: puts a backup in place, and brings the ledger up from the replicas. */

import {
  bringUpInPlace,
  finishBegunRestore,
  restoreBackup,
  type RestoreOptions,
  type Restored,
} from "@stock-bazaar/db/backup/restore";
import type { PutBack } from "@stock-bazaar/db/backup/put-back";
import { commandLine } from "@stock-bazaar/process/advice";
import { readConfig } from "@stock-bazaar/process/config";
import { CommandError } from "../errors.ts";
import { print } from "../output.ts";
import { withReplicaServices } from "../replica-services.ts";
import { requireNoCatalog } from "../up/ports.ts";

export interface RestoreCommandOptions {
  readonly file?: string;
  readonly fromServices?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export async function restore(folder: string | undefined, options: RestoreCommandOptions): Promise<void> {
  const { file, fromServices = false, dryRun = false, json = false } = options;
  const config = readConfig(process.env);
  const others = fromServices ? "" : ", and all other services";
  await requireNoCatalog(config, `stop it first${others}`);
  const finished = dryRun ? undefined : await finishBegunRestore(config);
  if (finished) {
    print(json ? `${JSON.stringify({ finished }, undefined, 2)}\n` : lines(describeFinished(finished)));
    if (folder === undefined) return;
    throw new CommandError(
      `an interrupted restore was finished, and ${folder} was not restored: run this again if it must be`,
    );
  }
  const run = (more: Pick<RestoreOptions, "services">): Promise<Restored> => {
    const all = { stocksFile: file, dryRun, at: new Date(), ...more };
    return folder === undefined ? bringUpInPlace(config, all) : restoreBackup(config, folder, all);
  };
  const restored = fromServices
    ? await withReplicaServices(config, "restore", (services) => run({ services }))
    : await run({});
  print(json ? `${JSON.stringify({ dryRun, ...restored }, undefined, 2)}\n` : lines(describe(restored, dryRun)));
}

function lines(texts: readonly string[]): string {
  return `${texts.join("\n")}\n`;
}

const next = `Next: start the services, for example with \`${commandLine("up")}\`, then \`${commandLine("verify")}\`.`;

function describeFinished({ placed, aside }: PutBack): string[] {
  return [...placed.map((file) => `In place, from a restore that was interrupted: ${file}`), ...moved(aside), next];
}

function moved(aside: readonly string[]): string[] {
  return aside.map((file) => `What was there is now ${file}`);
}

function describe(restored: Restored, dryRun: boolean): string[] {
  const { ledger, placed, aside, missing, notWhole, before = 0, orders = 0, replica, stocksAdded = 0 } = restored;
  const would = dryRun ? "would have " : "";
  return [
    ...(ledger === undefined ? [] : [`${ledger}: ${would}orders: ${orders}${sourcesOf({ before, orders, replica })}`]),
    ...(stocksAdded === 0 ? [] : [`Stocks that were added since then: ${stocksAdded}`]),
    ...placed.filter((file) => file !== ledger).map((file) => `Put back: ${file}`),
    ...moved(aside),
    ...missing.map((file) => `Not read, because it is missing: ${file}. Orders that no other replica had are lost.`),
    ...notWhole.map(
      (name) =>
        `May lack its last orders, for example after a power cut: ${name}. Orders that no replica has are lost.`,
    ),
    ...(ledger === undefined ? [] : notRestored),
    dryRun ? "Nothing was changed." : next,
  ];
}

const notRestored = [
  "Not restored: rejections of trades since then (such a trade that is sent again with its key is decided anew), and orders",
  "that no replica has.",
];

function sourcesOf({
  before,
  orders,
  replica,
}: {
  before: number;
  orders: number;
  replica: string | undefined;
}): string {
  return replica === undefined ? "; no replica has more" : `, the last ${orders - before} of them from ${replica}`;
}
