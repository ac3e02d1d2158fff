/**
 * Syncs a replica's orders in the background, ten times a second, where commits don't wait for the disk: a power cut
 * takes the orders of the last moment only, and the replica reads little from the leader afterwards.
 */

import { type Clock, every } from "@stock-bazaar/shared/clock";

const syncEveryMs = 100;

export interface BackgroundSyncOptions {
  readonly clock: Clock;
  /** The id of the last order that was committed. */
  readonly lastId: () => number;
  /** Resolves when everything that was committed before the call is on the disk. */
  readonly sync: () => Promise<void>;
  /** Receives the error of a sync. What it should have written may never reach the disk: the process must end. */
  readonly failed: (error: unknown) => void;
}

/**
 * Everything must be synced when it begins. Returns a function that ends it, and resolves when no sync is under way.
 */
export function syncInBackground({ clock, lastId, sync, failed }: BackgroundSyncOptions): () => Promise<void> {
  let syncedId = lastId();
  let syncing = Promise.resolve();
  const syncNew = async () => {
    const upTo = lastId();
    if (upTo === syncedId) return;
    try {
      await sync();
      syncedId = upTo;
    } catch (error) {
      failed(error);
    }
  };
  // The next interval begins when the sync has ended: there are never two at once.
  const cancel = every(clock, syncEveryMs, () => (syncing = syncNew()));
  return () => {
    cancel();
    return syncing;
  };
}
