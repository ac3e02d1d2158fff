/** Short campaigns with the ledger on PostgreSQL. `npm run chaos -- --postgres --rounds 200` is a longer one. */

import { startTemporaryPostgres } from "@stock-bazaar/bench/embedded-postgres";
import { runCampaign } from "@stock-bazaar/chaos/campaign";
import { faultNamed, possibleFaults } from "@stock-bazaar/chaos/faults/index";
import { type FaultName, faultNames } from "@stock-bazaar/chaos/faults/names";
import { planRound } from "@stock-bazaar/chaos/plan";
import { describeFailure, describeRound } from "@stock-bazaar/chaos/report";
import { expect, test } from "vitest";

const allFaults = possibleFaults(faultNames, { onServer: true });
const serverFaults = allFaults.filter((name) => faultNamed(name).needsServer || faultNamed(name).needsStandby);
const common = { roundMs: 1000, frontEnds: 2, clients: 12, catalogsMax: 3, keep: "test-results/chaos" };
/** Of the first 400 seeds, the one that needs the fewest rounds. */
const serverPlan = { ...common, seed: 292, faults: serverFaults, from: 1 };

function roundsUntilEvery(faults: readonly FaultName[]): number {
  const seen = new Set<string>();
  let rounds = 0;
  while (seen.size < faults.length) {
    rounds += 1;
    for (const { name } of planRound(rounds, serverPlan).faults) seen.add(name);
  }
  return rounds;
}

test.for([
  { what: "every fault of the server and of standbys", ...serverPlan, rounds: roundsUntilEvery(serverFaults) },
  { what: "faults of all kinds", ...common, seed: 5, faults: allFaults, from: 6, rounds: 10 },
])(
  "$rounds rounds with the ledger on PostgreSQL, $what: nothing lost, doubled or stale",
  { timeout: 400_000 },
  async ({ what: _, ...plan }, { signal }) => {
    const server = await startTemporaryPostgres(["max_connections=60"]);
    const { totals, failed } = await runCampaign(
      { ...plan, server },
      (round) => process.stdout.write(`${describeRound(round)}\n`),
      signal,
    );
    expect(failed.flatMap(describeFailure)).toEqual([]);
    expect(totals.rounds).toBe(plan.rounds);
    expect(totals.acknowledged).toBeGreaterThan(plan.rounds * 40);
  },
);
