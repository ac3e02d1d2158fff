/**
 * Writes the lines of the log to standard output, at once and without a buffer.
 *
 * A line that can't be written (the disk is full, the terminal was closed, the reader has ended) is lost, and the next
 * one is tried as usual. So a failing log needs no memory and ends no process.
 */

import { writeSync } from "node:fs";

/** Delay before retrying a write to a full pipe (EAGAIN). */
const busyWaitMs = 10;
const newline = 0x0a;

export interface LogOutput {
  /** Returns when the line is written or lost. */
  write(line: string): void;
}

/** `writeBytes` returns the number of bytes that it has written, and throws if there are none. */
export function createLogOutput(writeBytes: (bytes: Uint8Array) => number = toStandardOutput): LogOutput {
  /** True if the last write ended within a line because the disk became full. The next line must not continue it. */
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
