/** A short campaign with a fixed seed: `npm run chaos -- --rounds 200` is the long one. And how one ends that is stopped. */

import { globSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runCampaign } from "@stock-bazaar/chaos/campaign";
import { faultNames } from "@stock-bazaar/chaos/faults/names";
import { describeFailure, describeRound } from "@stock-bazaar/chaos/report";
import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";

const rounds = 10;

test("ten rounds of kills, freezes, cut links, full disks and lost databases: nothing lost, doubled or stale", async ({
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

test("stopped while a database is away, it leaves neither files nor processes behind", async () => {
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
  await eventually("all databases are there", () => databases() === 3);
  await eventually("one is away", () => databases() === 2, { timeoutMs: 60_000, pollMs: 5 });
  expect(await chaos.stop("SIGINT")).toEqual({ code: 1, signal: null });
  expect(readdirSync(temporary)).toEqual([]);
}, 120_000);
