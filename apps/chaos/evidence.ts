/** What is kept of a round that broke a promise: enough to find out why without running it again. */

import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Cluster } from "@stock-bazaar/cluster/cluster";
import { catalogFile } from "@stock-bazaar/ledger/sqlite/database";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import type { RoundResult } from "./round.ts";

/** The processes must have ended, or the copies of the databases would be torn. Returns the folder. */
export function keepEvidence(folder: string, seed: number, cluster: Cluster, result: RoundResult): string {
  const { plan, violations, history } = result;
  const kept = join(folder, `seed-${seed}-round-${plan.round}`);
  mkdirSync(kept, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(kept, name), text);
  write("plan.json", `${JSON.stringify({ seed, ...plan, environment: cluster.environment }, undefined, 2)}\n`);
  write("violations.jsonl", jsonLines(violations));
  for (const [name, records] of Object.entries(history)) write(`${name}.jsonl`, jsonLines(records));
  for (const { name, lines } of cluster.services) write(`${name}.log`, `${lines.join("\n")}\n`);
  copyDatabase(catalogFile(cluster.catalogFolder), join(kept, "data"));
  for (const [id, replica] of cluster.replicaFolders) copyDatabase(orderFile(replica, id), join(kept, "data"));
  return kept;
}

/** With the log of what isn't in the file yet. */
function copyDatabase(file: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const part of [file, `${file}-wal`]) if (existsSync(part)) copyFileSync(part, join(to, basename(part)));
}

function jsonLines(records: readonly unknown[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}
