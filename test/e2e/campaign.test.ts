/** A campaign injects faults, checks the promises, and cleans up when it is stopped. `test/extended/` has a longer one. */

import { globSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runCampaign } from "@stock-bazaar/chaos/campaign";
import { faultNames } from "@stock-bazaar/chaos/faults/names";
import { describeFailure, describeRound } from "@stock-bazaar/chaos/report";
import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("two rounds of kills under load: nothing lost, doubled or stale", async ({ signal }) => {
  // The seed has two replicas. It kills a follower, then the leader and the catalog at once.
  const plan = { seed: 2, from: 1, rounds: 2, roundMs: 1000, frontEnds: 2, clients: 12, faults: faultNames };
  const { totals, failed } = await runCampaign(
    { ...plan, keep: "test-results/chaos" },
    (round) => process.stdout.write(`${describeRound(round)}\n`),
    signal,
  );
  expect(failed.flatMap(describeFailure)).toEqual([]);
  expect(totals.rounds).toBe(2);
  expect(totals.acknowledged).toBeGreaterThan(2 * 40);
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
