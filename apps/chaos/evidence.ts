/** Keeps the evidence of a round that broke a promise: enough to find the cause without running it again. */

import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Cluster } from "@stock-bazaar/cluster/cluster";
import { catalogFile } from "@stock-bazaar/ledger/sqlite/database";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { allOrders } from "./checks/snapshot.ts";
import type { RoundResult } from "./round.ts";

/**
 * Writes the evidence and returns its folder. The processes must have ended: copies of open databases could be torn.
 */
export async function keepEvidence(
  folder: string,
  seed: number,
  cluster: Cluster,
  result: RoundResult,
): Promise<string> {
  const { plan, violations, history } = result;
  const kept = join(folder, `seed-${seed}-round-${plan.round}`);
  mkdirSync(kept, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(kept, name), text);
  write("plan.json", `${JSON.stringify({ seed, ...plan, environment: cluster.environment }, undefined, 2)}\n`);
  write("violations.jsonl", jsonLines(violations));
  for (const [name, records] of Object.entries(history)) write(`${name}.jsonl`, jsonLines(records));
  for (const { name, lines } of cluster.services) write(`${name}.log`, `${lines.join("\n")}\n`);
  if (cluster.ledger.ledgerUrl === undefined) copyDatabase(catalogFile(cluster.catalogFolder), join(kept, "data"));
  else write("ledger.jsonl", jsonLines(await allOrders(cluster)));
  for (const [id, replica] of cluster.replicaFolders) copyDatabase(orderFile(replica, id), join(kept, "data"));
  return kept;
}

/** Copies a database with its WAL, which holds the newest changes. */
function copyDatabase(file: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const part of [file, `${file}-wal`]) if (existsSync(part)) copyFileSync(part, join(to, basename(part)));
}

function jsonLines(records: readonly unknown[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}
