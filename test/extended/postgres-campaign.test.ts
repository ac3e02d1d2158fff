/** A short campaign with the ledger on PostgreSQL. `npm run chaos -- --postgres --rounds 200` is a longer one. */

import { startTemporaryPostgres } from "@stock-bazaar/bench/embedded-postgres";
import { runCampaign } from "@stock-bazaar/chaos/campaign";
import { possibleFaults } from "@stock-bazaar/chaos/faults/index";
import { faultNames } from "@stock-bazaar/chaos/faults/names";
import { describeFailure, describeRound } from "@stock-bazaar/chaos/report";
import { expect, test } from "vitest";

const rounds = 10;

test(`${rounds} rounds with the ledger on PostgreSQL: nothing lost, doubled or stale`, {
  timeout: rounds * 20_000,
}, async ({ signal }) => {
  const server = await startTemporaryPostgres(["max_connections=60"]);
  const faults = possibleFaults(faultNames, { onServer: true });
  const { totals, failed } = await runCampaign(
    {
      seed: 5,
      from: 6,
      rounds,
      roundMs: 1000,
      frontEnds: 2,
      clients: 12,
      faults,
      keep: "test-results/chaos",
      server,
      catalogsMax: 3,
    },
    (round) => process.stdout.write(`${describeRound(round)}\n`),
    signal,
  );
  expect(failed.flatMap(describeFailure)).toEqual([]);
  expect(totals.rounds).toBe(rounds);
  expect(totals.acknowledged).toBeGreaterThan(rounds * 40);
});
