/**
 * The inputs that are kept: each file is one case that a person has judged worth repeating, with the reason. `npm test` sends
 * them all.
 */

import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Campaign } from "./campaign.ts";
import type { Input } from "./input.ts";

const folder = resolve(import.meta.dirname, "corpus");

export interface CorpusFile {
  /** What these inputs are about, and what they did once. */
  readonly about: string;
  readonly inputs: readonly Input[];
}

export function corpusFiles(): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => resolve(folder, name));
}

export async function readCorpusFile(path: string): Promise<CorpusFile> {
  return JSON.parse(await readFile(path, "utf8")) as CorpusFile;
}

/** Sends the inputs of a file, one after the other. */
export async function replay(campaign: Campaign, { inputs }: CorpusFile): Promise<void> {
  const touchesServices = inputs.some(({ kind, to }) => kind === "grpc" || /^(?:catalog|order-|leader)/.test(to));
  await campaign.batch(
    touchesServices ? "grpc" : "http",
    inputs.map((input) => ({ number: 0, input })),
    true,
  );
}
