/** A campaign in which every kind of fault occurs, and one that is stopped. `npm run chaos -- --rounds 200` is a longer one. */

import { globSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runCampaign } from "@stock-bazaar/chaos/campaign";
import { possibleFaults } from "@stock-bazaar/chaos/faults/index";
import { faultNames as allFaults } from "@stock-bazaar/chaos/faults/names";
import { planRound } from "@stock-bazaar/chaos/plan";
import { describeFailure, describeRound } from "@stock-bazaar/chaos/report";
import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";

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

test("a campaign that is stopped while a database is deleted leaves neither files nor processes behind", async () => {
  const temporary = join(temporaryFolder(), "tmp");
  mkdirSync(temporary);
  const chaos = new Service("chaos", "apps/cli/main.ts", {
    args: ["chaos", "--seed", "1", "--only", "lose-replica-database", "--round-seconds", "60"],
    environment: { TMPDIR: temporary },
    supervised: false,
  });
  onTestFinished(async () => {
    if (chaos.isRunning) await chaos.kill();
  });
  chaos.start();
  const databases = () => globSync(join(temporary, "*", "order-*.db")).length;
  await eventually("all databases exist", () => databases() === 3);
  await eventually("one database is deleted", () => databases() === 2, { timeoutMs: 60_000, pollMs: 5 });
  expect(await chaos.stop("SIGINT")).toEqual({ code: 1, signal: null });
  expect(readdirSync(temporary)).toEqual([]);
}, 120_000);
