/**
 * The advice that messages give to people.
 *
 * Every command that a message names is spelled here and nowhere else: when the program ships in another form, as one
 * binary or in containers, only this file changes.
 */

/** A command of the program `bazaar` as a user types it, like `npm run chaos -- --seed 7`. */
export function commandLine(command: string, options = ""): string {
  const name = command === "up" ? "npm start" : `npm run ${command}`;
  return options === "" ? name : `${name} -- ${options}`;
}

/** The command line in backticks, for use within a sentence. */
export function quotedCommand(command: string, options?: string): string {
  return `\`${commandLine(command, options)}\``;
}

const migrate = quotedCommand("migrate");
const rebuildCatalog = quotedCommand("rebuild-catalog");
const ledgerCopy = quotedCommand("ledger", "copy --to …");
const restore = quotedCommand("restore");
const rebuildFromServices = quotedCommand("rebuild-catalog", "--from-services");

/** Ends of messages. `it` is the file that the message is about. */
export const advice = {
  start: `Is the bazaar running? ${quotedCommand("up")} runs it; --host and --port give its address.`,
  trustCa: "--ca or BAZAAR_CA names the file of the CA that signed the front-end's certificate.",

  installThere: `run ${quotedCommand("setup")} there`,

  verify: `${quotedCommand("verify")} compares it with the replicas`,
  migrate: `run ${migrate}`,
  migrateThenSeed: `run ${migrate}, then ${quotedCommand("seed")}`,
  rebuildCatalog: `run ${rebuildCatalog}`,
  rebuildFromServices: `run ${rebuildFromServices}`,
  findWholeLedger: `name the ledger that belongs to the replicas (LEDGER_URL, DATA_DIR) or put it back; if it is lost, stop everything and run ${rebuildCatalog}, or ${restore}, which continues this old one from the replicas`,

  replaceCatalog: `run ${rebuildCatalog}, which moves it aside and rebuilds it from a replica's orders`,
  replaceReplica: `move it elsewhere, then run ${migrate} (the replica fetches its orders again)`,
  replaceForeignCatalog: `move it elsewhere, then run ${migrate}, or ${rebuildCatalog} where replicas hold orders`,
  replaceForeignReplica: `move it elsewhere, then run ${migrate}`,
  replaceDivergedReplica: `move its database elsewhere, then run ${migrate} (the replica fetches its orders again)`,

  putBackCatalog: `Stop the catalog and put back the file that belongs to the replicas, or run ${rebuildCatalog}`,
  findLedger: `name the ledger that belongs to the replicas (LEDGER_URL, DATA_DIR), move it here with ${ledgerCopy}, or run ${rebuildCatalog} or ${rebuildFromServices}`,
  putBackOrRebuild: `put that file back, or run ${rebuildCatalog}`,
  correctUrlOrRebuild: `correct LEDGER_URL, move the ledger of catalog.db there with ${ledgerCopy}, or run ${rebuildCatalog}, which makes the ledger of a replica's orders`,
  putBackOrAcceptLoss: `put the catalog back, or run ${rebuildCatalog} to go on without these orders`,
  putBackAll: `put back the missing files, or run ${rebuildCatalog}, which uses what is left`,
  putSoundCopyBack: "put a sound copy in its place, or move it elsewhere to go on without it",

  chooseHistory: `${quotedCommand("verify")} shows them: if the replica is right, run ${rebuildCatalog}; if the catalog is right, move the replica's file elsewhere`,
  dropWrongReplica:
    "move the wrong one of the two files elsewhere (its replica fetches the orders again), then run this again",
  isReplicaRunning: "is it running, and is ORDER_REPLICAS right?",
  goOnWithoutReplica:
    "start it, or set ORDER_REPLICAS without it to go on without the orders that only it holds, then run this again",
  goOnWithoutWrongReplica:
    "set ORDER_REPLICAS without the wrong one of the two, then run this again; move its file elsewhere before it is used again",
  stopCatalog: "a catalog still runs: stop every catalog first",
  backUpServer: "pg_dump, pg_basebackup or pgBackRest back it up",
  finishRestore: `run ${restore}, which finishes it`,
  nameBackup: `name the backup to restore: ${quotedCommand("restore", "backups/…")}`,
  restoreFromServices: `let the replicas run and use --from-services, or set ORDER_REPLICAS without it to go on without the orders that only it holds`,
  dropWrongHistory: "move the wrong one elsewhere, or name another backup, then run this again",
  moveLedgerElsewhere:
    "move it elsewhere, with the files that begin with its name, to go on without it, then run this again",
  nameLaterStocks: `If stocks were added since the backup, name the file: ${quotedCommand("restore", "backups/… --file my.csv")}`,
  nameSeededFile: `Name the file that the catalog was seeded with: ${quotedCommand("rebuild-catalog", "--file my.csv")}`,
} as const;
