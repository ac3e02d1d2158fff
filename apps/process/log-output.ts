/**
 * Where the log's lines go. One that can't be written (the disk is full, the terminal was closed, the reader has gone
 * away) is lost and nothing else happens: the next one is tried as if nothing had been. So nothing is kept in memory,
 * and nobody has to live or die with the log.
 */

import { writeSync } from "node:fs";

/** A pipe takes no more when its reader is slow, which is waited for: how long between two tries. */
const busyWaitMs = 10;
const newline = 0x0a;

export interface LogOutput {
  /** Returns when the line is written, or lost. */
  write(line: string): void;
}

/** `writeBytes` returns how many it has written, and throws if it is none. */
export function createLogOutput(writeBytes: (bytes: Uint8Array) => number = toStandardOutput): LogOutput {
  /** A disk that becomes full in the middle of a line leaves half of it, and the next one must not go on there. */
  let isTorn = false;
  return {
    write(line) {
      let rest: Uint8Array = Buffer.from(isTorn ? `\n${line}` : line);
      while (rest.length > 0) {
        try {
          const written = writeBytes(rest);
          isTorn = rest[written - 1] !== newline;
          rest = rest.subarray(written);
        } catch (error) {
          if (!isBusy(error)) return;
          Bun.sleepSync(busyWaitMs);
        }
      }
    },
  };
}

function toStandardOutput(bytes: Uint8Array): number {
  return writeSync(1, bytes);
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EAGAIN";
}
