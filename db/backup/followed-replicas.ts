/**
 * The replicas that a restored ledger is brought up from: by their files on this machine, or by what their services tell. They
 * may hold orders that were acknowledged after the backup.
 */

import { orderPages } from "@stock-bazaar/ledger/order-pages";
import { ordersOf, type OrderSource, prefixDifference } from "@stock-bazaar/ledger/compare";
import type { LedgerStore } from "@stock-bazaar/ledger/store";
import { type OrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { addressText, isLoopback } from "@stock-bazaar/process/addresses";
import { advice } from "@stock-bazaar/process/advice";
import type { Order } from "@stock-bazaar/shared/domain";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { explaining } from "@stock-bazaar/sqlite/connection";
import { orderFields } from "@stock-bazaar/sqlite/order-rows";
import { adviceForUnreadable } from "../recovery/history.ts";
import { ordersOfLongest } from "../recovery/rebuild-from-services.ts";
import {
  askService,
  type ReplicaService,
  ReplicaServiceError,
  type ServedReplica,
} from "../recovery/replica-services.ts";
import { type Databases, readEnds, replicasNamed } from "../recovery/replicas-here.ts";
import { RestoreError } from "./restore-error.ts";

/** A replica, as it was when it was first read. What it holds up to `lastId` never changes. */
export type FollowedReplica = ServedReplica;

export interface FollowedReplicas {
  readonly all: readonly FollowedReplica[];
  /** The files of replicas on this machine that are missing. */
  readonly missing: readonly string[];
  /** The orders of one of them after an id. */
  pagesAfter(replica: FollowedReplica, after: number): AsyncIterable<readonly Order[]>;
  close(): void;
}

/**
 * By their files; no service may use them. Throws a RestoreError if one can't be read, or is on another machine: either may
 * hold orders that no other has.
 */
export function replicasOfFiles(databases: Databases): FollowedReplicas {
  requireAllHere(databases);
  const opened: OrderDatabase[] = [];
  const close = () => {
    for (const database of opened) database.close();
  };
  try {
    const all = readEnds(databases).flatMap((end) => {
      if (end instanceof DatabaseError) {
        if (end.problem === "missing") return [];
        throw new RestoreError(`${adviceForUnreadable(end)}, then run this again`, { cause: end });
      }
      const database = new ReplicaFile(databases.dataDir, end.id).open("read");
      opened.push(database);
      return { name: end.file, lastId: end.lastId, isWhole: end.isWhole, ordersAfter: readerOf(database) };
    });
    const missing = replicasNamed(databases).flatMap(({ exists, file }) => (exists ? [] : [file]));
    return { all, missing, close, pagesAfter: (replica, after) => orderPages(replica, after, replica.lastId) };
  } catch (error) {
    close();
    throw error;
  }
}

function readerOf({ client, kind }: OrderDatabase): OrderSource["ordersAfter"] {
  const page = client.prepare<[number, number], Order>(
    `SELECT ${orderFields} FROM orders WHERE id > ? ORDER BY id LIMIT ?`,
  );
  return async (after, limit) => explaining(client.name, kind, () => page.all(after, limit));
}

/** A replica without a file here whose address isn't this machine's runs elsewhere. */
function requireAllHere({ dataDir, replicas }: Databases): void {
  for (const [id, address] of replicas) {
    if (isLoopback(address) || new ReplicaFile(dataDir, id).exists) continue;
    throw new RestoreError(
      `replica ${id} at ${addressText(address)} is on another machine, and may hold newer orders: ${advice.restoreFromServices}`,
    );
  }
}

/** By their services, which run on. Every one must answer; else rejects with a RestoreError. */
export async function replicasOfServices(services: readonly ReplicaService[]): Promise<FollowedReplicas> {
  if (services.length === 0) throw new RestoreError("ORDER_REPLICAS must name a replica to ask (got none)");
  try {
    const all = await Promise.all(services.map(askService));
    return {
      all,
      missing: [],
      pagesAfter: (replica, after) => ordersOfLongest(replica, { replicas: all, services, after }),
      close() {},
    };
  } catch (error) {
    if (!(error instanceof ReplicaServiceError)) throw error;
    const text = `${error.message}, and may hold orders that no other replica has: ${advice.goOnWithoutReplica}`;
    throw new RestoreError(text, { cause: error });
  }
}

/**
 * Returns the longest of the replicas if it is longer than the ledger. Rejects with a RestoreError unless all of them and the
 * ledger are prefixes of the longest among them.
 */
export async function requireOneSequence(
  store: LedgerStore,
  head: number,
  { all }: FollowedReplicas,
): Promise<FollowedReplica | undefined> {
  const longest = all.reduce<FollowedReplica | undefined>(
    (best, replica) => (replica.lastId > (best?.lastId ?? head) ? replica : best),
    undefined,
  );
  const original = longest ?? ordersOf(store);
  const others = longest ? [{ ...ordersOf(store), lastId: head }, ...all] : all;
  for (const other of others) {
    const difference = other === longest ? undefined : await prefixDifference(other, other.lastId, original);
    if (difference !== undefined) throw new RestoreError(`${difference}: ${advice.dropWrongHistory}`);
  }
  return longest;
}
