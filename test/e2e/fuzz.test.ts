/** The kept inputs of the fuzzer, and a few thousand new ones, on one bazaar: no crash, no failure, no hang, no leak, no lost trade. */

import { basename } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FuzzedBazaar } from "../fuzz/bazaar.ts";
import { Campaign } from "../fuzz/campaign.ts";
import { corpusFiles, readCorpusFile, replay } from "../fuzz/corpus.ts";
import { inputOf } from "../fuzz/generate.ts";
import { describeFault } from "../fuzz/report.ts";

const seed = 1;
const inputs = 2500;

let bazaar: FuzzedBazaar;
let campaign: Campaign;

beforeAll(async () => {
  bazaar = await FuzzedBazaar.start();
  campaign = new Campaign(bazaar);
});

afterAll(() => bazaar.stop());

/** Returns the faults that were found since the last call. */
function faults(): string[] {
  return campaign.faults.splice(0).map((fault) => describeFault(fault, seed));
}

test.each(corpusFiles().map((path) => [basename(path), path]))("%s of the corpus does no harm", async (_name, path) => {
  await replay(campaign, await readCorpusFile(path));
  expect(faults()).toEqual([]);
});

test(`${inputs} inputs of seed ${seed} do no harm`, async () => {
  await campaign.run(1, inputs, (number) => inputOf(seed, number));
  expect(faults()).toEqual([]);
  const { statuses, told } = campaign;
  const reached = ["http 200", "http 304", "http 400", "http 404", "bytes 200", "bytes 431", "bytes closed", "grpc OK"];
  expect(reached.filter((status) => statuses.of(status) === 0)).toEqual([]);
  expect(told.size).toBeGreaterThan(10);
});

test("then the bazaar holds no more than before, and its databases explain every unit and every trade told", async () => {
  await campaign.finish();
  expect(faults()).toEqual([]);
});
