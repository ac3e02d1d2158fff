/** As `test/e2e/fuzz.test.ts`, with more inputs of another seed. */

import { expect, test } from "vitest";
import { FuzzedBazaar } from "../fuzz/bazaar.ts";
import { Campaign } from "../fuzz/campaign.ts";
import { inputOf } from "../fuzz/generate.ts";
import { describeFault } from "../fuzz/report.ts";

const seed = 2;

test(`20,000 inputs of seed ${seed} do no harm`, { timeout: 300_000 }, async ({ onTestFinished }) => {
  const bazaar = await FuzzedBazaar.start();
  onTestFinished(() => bazaar.stop());
  const campaign = new Campaign(bazaar);
  await campaign.run(1, 20_000, (number) => inputOf(seed, number));
  await campaign.finish();
  expect(campaign.faults.map((fault) => describeFault(fault, seed))).toEqual([]);
});
