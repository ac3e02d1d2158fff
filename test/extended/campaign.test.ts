/** A campaign in which every kind of fault occurs. `npm run chaos -- --rounds 200` is a longer one. */

import { runCampaign } from "@stock-bazaar/chaos/campaign";
import { possibleFaults } from "@stock-bazaar/chaos/faults/index";
import { faultNames as allFaults } from "@stock-bazaar/chaos/faults/names";
import { planRound } from "@stock-bazaar/chaos/plan";
import { describeFailure, describeRound } from "@stock-bazaar/chaos/report";
import { expect, test } from "vitest";

const faultNames = possibleFaults(allFaults, { onServer: false });
/** The seed is the one of the first 400 that needs the fewest rounds. */
const plan = { seed: 21, roundMs: 1000, frontEnds: 2, clients: 12, faults: faultNames };

function roundsUntilEveryFault(): number {
  const seen = new Set<string>();
  let rounds = 0;
  while (seen.size < faultNames.length) {
    rounds += 1;
    for (const { name } of planRound(rounds, plan).faults) seen.add(name);
  }
  return rounds;
}

const rounds = roundsUntilEveryFault();

test(`${rounds} rounds, with every kind of fault: nothing lost, doubled or stale`, {
  timeout: rounds * 20_000,
}, async ({ signal }) => {
  const { totals, failed } = await runCampaign(
    { ...plan, from: 1, rounds, keep: "test-results/chaos" },
    (round) => process.stdout.write(`${describeRound(round)}\n`),
    signal,
  );
  expect(failed.flatMap(describeFailure)).toEqual([]);
  expect(totals.rounds).toBe(rounds);
  expect(Object.keys(totals.faults).toSorted()).toEqual(faultNames.toSorted());
  expect(totals.acknowledged).toBeGreaterThan(rounds * 40);
  expect(totals.lookups).toBeGreaterThan(0);
});
