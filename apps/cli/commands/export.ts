/** `npm run export`: writes the orders of a replica's database as CSV or JSON. */

import { once } from "node:events";
import { createWriteStream, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { formatOrders, openOrderSource } from "@stock-bazaar/db/export-orders";
import { ownFiles } from "@stock-bazaar/db/own-files";
import { readConfig } from "@stock-bazaar/process/config";
import { CommandError } from "../errors.ts";
import { requireOtherFile, requireWritable } from "../writable.ts";

export interface ExportOptions {
  readonly format: "csv" | "ndjson";
  readonly after: number;
  readonly file?: string;
  readonly replica?: number;
}

export async function exportOrders({ format, after, file, replica }: ExportOptions): Promise<void> {
  const config = readConfig(process.env);
  if (file !== undefined) {
    requireWritable("--file", file, "file");
    requireOtherFile("--file", file, ownFiles(config));
  }
  const source = await openOrderSource(config, replica);
  try {
    const text = formatOrders(source.parts(after), format);
    if (file === undefined) await writeAll(text, process.stdout);
    else await writeFile(text, file);
  } finally {
    source.close();
  }
}

async function writeFile(text: AsyncIterable<string>, file: string): Promise<void> {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const stream = createWriteStream(file, { flush: true });
    const end = finished(stream);
    await Promise.race([writeAll(text, stream), end]);
    stream.end();
    await end;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${file} could not be written completely: ${reason}`, undefined, {
      cause: error,
    });
  }
}

/** Waits for a slow reader: text that it hasn't read would take memory. */
async function writeAll(text: AsyncIterable<string>, stream: Writable): Promise<void> {
  for await (const part of text) {
    if (!stream.write(part)) await once(stream, "drain");
  }
}
