/**
 * A disk that forgets what wasn't synced. It replays the calls of a trace; at any moment it can say what a power cut may
 * leave: each write since the last sync of its file is there, or missing, or there in part, in any order.
 */

import type { Call } from "./trace.ts";

/** What a disk writes in one piece. */
const sectorBytes = 512;

type Change = { readonly offset: number; readonly data: Buffer } | { readonly size: number };

interface Inode {
  durable: Buffer;
  /** The changes since the last sync. */
  pending: Change[];
}

interface Naming {
  readonly file: string;
  readonly inode: Inode | undefined;
}

/** Which of the unsynced changes a cut leaves. */
export type Leaves = "nothing" | "everything" | "some" | "parts";

export class ForgetfulDisk {
  readonly #names = new Map<string, Inode>();
  readonly #durableNames = new Map<string, Inode>();
  /** The names that were given or taken since the last sync of the folder. */
  #namings: Naming[] = [];

  /** Everything in `files` is on the disk. */
  constructor(files: Readonly<Record<string, Buffer>>) {
    for (const [file, durable] of Object.entries(files)) {
      const inode = { durable, pending: [] };
      this.#names.set(file, inode);
      this.#durableNames.set(file, inode);
    }
  }

  apply(call: Call): void {
    switch (call.kind) {
      case "create":
        if (!this.#names.has(call.file)) this.#name(call.file, { durable: Buffer.alloc(0), pending: [] });
        break;
      case "remove":
        this.#name(call.file, undefined);
        break;
      case "sync-folder":
        for (const { file, inode } of this.#namings) setOrDelete(this.#durableNames, file, inode);
        this.#namings = [];
        break;
      case "sync": {
        const inode = this.#inode(call.file);
        inode.durable = changed(inode.durable, inode.pending);
        inode.pending = [];
        break;
      }
      case "write":
        this.#inode(call.file).pending.push({ offset: call.offset, data: call.data });
        break;
      case "truncate":
        this.#inode(call.file).pending.push({ size: call.size });
        break;
    }
  }

  /** The files after a power cut now. `random` draws numbers from 0 to 1. */
  cut(leaves: Leaves, random: () => number): ReadonlyMap<string, Buffer> {
    const isLeft = () => leaves === "everything" || (leaves !== "nothing" && random() < 0.5);
    const names = new Map(this.#durableNames);
    const kept =
      leaves === "everything" ? this.#namings.length : isLeft() ? Math.floor(random() * this.#namings.length + 1) : 0;
    for (const { file, inode } of this.#namings.slice(0, kept)) setOrDelete(names, file, inode);
    const changesOf = ({ pending }: Inode) =>
      pending.filter(isLeft).flatMap((change) => (leaves === "parts" ? partsOf(change, random) : change));
    return new Map([...names].map(([file, inode]) => [file, changed(inode.durable, changesOf(inode))]));
  }

  #name(file: string, inode: Inode | undefined): void {
    setOrDelete(this.#names, file, inode);
    this.#namings.push({ file, inode });
  }

  #inode(file: string): Inode {
    const inode = this.#names.get(file);
    if (!inode) throw new Error(`${file} must exist`);
    return inode;
  }
}

function setOrDelete(names: Map<string, Inode>, file: string, inode: Inode | undefined): void {
  if (inode) names.set(file, inode);
  else names.delete(file);
}

/** Some of the sectors that a write touches. */
function partsOf(change: Change, random: () => number): Change[] {
  if ("size" in change) return [change];
  const { offset, data } = change;
  const parts: Change[] = [];
  for (let at = 0; at < data.length; ) {
    const end = Math.min(data.length, at + sectorBytes - ((offset + at) % sectorBytes));
    if (random() < 0.5) parts.push({ offset: offset + at, data: data.subarray(at, end) });
    at = end;
  }
  return parts;
}

function changed(content: Buffer, changes: readonly Change[]): Buffer {
  let size = content.length;
  for (const change of changes)
    size = "size" in change ? Math.max(size, change.size) : Math.max(size, change.offset + change.data.length);
  const all = Buffer.alloc(size);
  content.copy(all);
  let length = content.length;
  for (const change of changes) {
    if ("size" in change) {
      // What lies behind the new end reads as zeros if the file grows again.
      if (change.size < length) all.fill(0, change.size, length);
      length = change.size;
    } else {
      change.data.copy(all, change.offset);
      length = Math.max(length, change.offset + change.data.length);
    }
  }
  return all.subarray(0, length);
}
