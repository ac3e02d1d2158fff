/**
 * Replaces a replica's damaged file by an empty one, which the replica fills from the leader or the ledger. The damaged one
 * keeps its content under another name. This can be killed at any point: the old file or the new one is there.
 */

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, parse } from "node:path";
import { putInPlace, realFile, syncToDisk } from "@stock-bazaar/sqlite/files";
import { migrateFile } from "@stock-bazaar/sqlite/migrations";
import { SetupError } from "@stock-bazaar/shared/errors";
import { lacking } from "../replica-mark.ts";
import { openOrderDatabase, orderFile } from "./database.ts";
import { writeMark } from "./kept-mark.ts";

/** A disk that damages file after file would soon be full of them. */
const asideMax = 3;

/** Returns the new name of the damaged file. */
export function replaceDamaged(dataDir: string, replicaId: number): string {
  // The files that belong to a linked database lie beside the target of the link.
  const file = realFile(orderFile(dataDir, replicaId));
  const folder = dirname(file);
  const { name, ext } = parse(file);
  const names = readdirSync(folder);
  const aside = names.filter((each) => each.startsWith(`${name}-2`) && each.endsWith(`Z${ext}`));
  if (aside.length >= asideMax) {
    const text = `${file} was damaged again, and ${aside.length} damaged files are beside it (${aside.join(", ")})`;
    throw new SetupError(`${text}: check the disk and the memory of this machine, then delete those files`);
  }
  const workshopPrefix = `replacing-${name}-`;
  for (const left of names.filter((each) => each.startsWith(workshopPrefix)))
    rmSync(join(folder, left), { recursive: true });
  const workshop = mkdtempSync(join(folder, workshopPrefix));
  try {
    const finished = orderFile(workshop, replicaId);
    migrateFile(finished, "orders");
    const database = openOrderDatabase(workshop, replicaId);
    try {
      writeMark(database.client, lacking);
    } finally {
      database.close();
    }
    syncToDisk(finished);
    const putAside = putInPlace(finished, file);
    if (putAside === undefined) throw new Error(`${file} must exist to be replaced (it is gone)`);
    return putAside;
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}
