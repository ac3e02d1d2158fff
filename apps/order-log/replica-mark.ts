/**
 * The mark in a replica's file, which tells whether the file still holds every order that it ever acknowledged.
 *
 * A replica's commits don't wait for its disk (`ORDER_SYNCHRONOUS=NORMAL`): they survive the death of every process, but
 * after a power cut the last of them are gone, and the file looks sound. That is no harm while the ledger has these
 * orders. But a catalog that is rebuilt from such a file would reuse their numbers (I9). So the mark names the start of
 * the machine since which nothing can be lost, and a power cut changes that. A clean end syncs the file, and says so.
 */

export interface ReplicaMark {
  /** The boot id of the machine; "" if unknown or if orders may be missing, `newBootId` before the first use. */
  readonly bootId: string;
  /** Whether everything is on the disk. */
  readonly synced: boolean;
}

/** Set by the migration that creates a file. */
const newBootId = "new";

/** The mark of a file that may lack orders which it has acknowledged. */
export const lacking: ReplicaMark = { bootId: "", synced: false };

/**
 * Whether the file holds every order that it ever acknowledged. False for a new file: it may stand in for one that was
 * lost. `bootId` is that of its machine now, "" if unknown.
 */
export function isWhole(mark: ReplicaMark, bootId: string): boolean {
  return mark.synced || (bootId !== "" && mark.bootId === bootId);
}

/** Whether no service has used the file yet. */
export function isNew({ bootId, synced }: ReplicaMark): boolean {
  return !synced && bootId === newBootId;
}
