/** A short campaign with a fixed seed: `npm run chaos -- --rounds 200` is the long one. */

import { runCampaign } from "@stock-bazaar/chaos/campaign";
import { faultNames } from "@stock-bazaar/chaos/faults/names";
import { describeFailure, describeRound } from "@stock-bazaar/chaos/report";
import { expect, test } from "vitest";

const rounds = 10;

test("ten rounds of kills, freezes, full disks and lost databases: nothing lost, doubled or stale", async ({
  signal,
}) => {
  const options = { seed: 1, from: 1, rounds, roundMs: 1000, frontEnds: 2, clients: 12, faults: faultNames };
  const { totals, failed } = await runCampaign(
    { ...options, keep: "test-results/chaos" },
    (round) => process.stdout.write(`${describeRound(round)}\n`),
    signal,
  );
  expect(failed.flatMap(describeFailure)).toEqual([]);
  expect(totals.rounds).toBe(rounds);
  expect(totals.acknowledged).toBeGreaterThan(rounds * 40);
  expect(totals.lookups).toBeGreaterThan(0);
}, 180_000);
