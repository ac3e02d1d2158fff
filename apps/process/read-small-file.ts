/**
 * Reads files of settings that a running service reads again while its callers wait. A pipe without a writer would stop the
 * service for ever, and a file of gigabytes for long.
 */

import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";

/** Longer than the longest file of tokens, and than the CAs of a whole system. */
const bytesMax = 4 * 1024 * 1024;

/** Throws an Error whose message is the reason, without what is in the file. */
export function readSmallFile(path: string): string {
  let descriptor: number | undefined;
  try {
    // Without O_NONBLOCK, opening a pipe waits for its writer.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(descriptor);
    if (stats.isDirectory()) throw new Error("it is a folder");
    if (!stats.isFile()) throw new Error("it is a pipe or a device");
    if (stats.size > bytesMax) throw new Error(`it is larger than ${bytesMax / 1024 / 1024} MiB`);
    return readFileSync(descriptor, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error) throw new Error(String(error.code), { cause: error });
    throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
