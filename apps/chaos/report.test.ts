import { expect, test } from "vitest";
import { tradeRecord } from "../../test/support/sound-databases.ts";
import type { CampaignResult } from "./campaign.ts";
import type { Violation } from "./checks/violation.ts";
import { faultNames } from "./faults/names.ts";
import { planRound } from "./plan.ts";
import { Progress } from "./progress.ts";
import { describeRound, formatReport } from "./report.ts";
import type { RoundResult } from "./round.ts";
import { addRound, noTotals } from "./totals.ts";

const options = {
  seed: 7,
  from: 6,
  rounds: 2,
  roundMs: 2000,
  frontEnds: 2,
  clients: 16,
  faults: faultNames,
  keep: "kept",
};
const buy = { key: "one", name: "GameStart", type: "buy", quantity: 1 } as const;
const lookup = { name: "GameStart", rev: 1, quantity: 99, cache: "hit", url: "", startMs: 0, endMs: 1 };
const query = { orderNumber: 1, status: 200, reason: "", wrong: undefined, attempts: 1, url: "", startMs: 0, endMs: 1 };
const lost: Violation = { promise: "I4", harm: "lost", text: "order 1 is gone" };

function roundResult(round: number, violations: readonly Violation[] = []): RoundResult {
  const trades = [
    tradeRecord(buy, { attempts: 3 }),
    tradeRecord(buy),
    tradeRecord(buy, { orderNumber: 2 }),
    tradeRecord(buy, { status: 400, reason: "INSUFFICIENT_QUANTITY", orderNumber: undefined }),
  ];
  const lookups = [lookup, { ...lookup, cache: "miss" }];
  const queries = [query, { ...query, status: 503 }];
  return {
    plan: planRound(round, options),
    violations,
    trades,
    history: { trades, replays: [], lookups, failedLookups: [], queries },
    longestSilenceMs: round * 100,
    tookMs: 3456,
  };
}

const totals = addRound(addRound(noTotals, roundResult(6), true), roundResult(7, [lost]), false);
const result: CampaignResult = { options, totals, failed: [], mountedDisks: true, tookMs: 90_000 };

test("figures are summed over rounds, and an order that two clients received counts once", () => {
  expect(totals).toMatchObject({
    rounds: 2,
    clusters: 1,
    acknowledged: 4,
    rejected: 2,
    unknown: 4,
    lookups: 4,
    hits: 2,
    ordersFound: 2,
    longestSilenceMs: 700,
    violations: { lost: 1, doubled: 0, stale: 0, other: 0 },
  });
  const planned = [6, 7].flatMap((round) => planRound(round, options).faults);
  expect(Object.values(totals.faults).reduce((sum, count) => sum + count, 0)).toBe(planned.length);
});

test("the report shows the figures, the seed and the command to run it again", () => {
  const report = formatReport(result);
  for (const name of faultNames) expect(report).toContain(`${name} `);
  expect(report).toMatch(/^rounds +2 on 1 cluster, in 1\.5 minutes$/m);
  expect(report).toMatch(/^seed +7$/m);
  expect(report).toMatch(/^lookups +4, 50% from a cache$/m);
  expect(report).toMatch(/^longest silence +0\.7 s without an accepted trade$/m);
  expect(report).toMatch(/^lost +1$/m);
  expect(report).toContain(
    "npm run chaos -- --seed 7 --rounds 2 --from 6 --front-ends 2 --clients 16 --round-seconds 2\n",
  );
  expect(report).not.toContain("--only");
  expect(report).not.toContain("could be mounted");
});

test("the report shows the faults to choose from, and what replaced a full disk", () => {
  const report = formatReport({
    ...result,
    options: { ...options, faults: ["kill-leader", "fill-replica-disk"] },
    mountedDisks: false,
  });
  expect(report).toContain(" --only kill-leader,fill-replica-disk\n");
  expect(report).toContain("No disk could be mounted, so a limit on the size of files was used instead.");
  expect(report).not.toContain("freeze-leader");
});

test("the report shows the promise that a failed round broke, and the folder of its history", () => {
  const kept = "kept/seed-7-round-7";
  const report = formatReport({ ...result, failed: [{ plan: planRound(7, options), violations: [lost], kept }] });
  expect(report).toMatch(/^Round 7 broke a promise: /m);
  expect(report).toContain("  I4 lost: order 1 is gone\n");
  expect(report).toContain(kept);
});

test("a round is described in one line", () => {
  expect(describeRound(roundResult(6))).toMatch(
    /^round 6: ok {2}4 trades, 2 lookups, silent for 0\.6 s of 3\.5 s {2}\S/,
  );
  expect(describeRound(roundResult(7, [lost]))).toMatch(/^round 7: 1 violation {2}/);
});

test("progress is a line per round, and a bar on a terminal", () => {
  const plain: string[] = [];
  new Progress({ write: (text) => plain.push(text) }, 2).round(roundResult(6), totals);
  expect(plain.join("")).toBe(`${describeRound(roundResult(6))}\n`);

  const shown: string[] = [];
  const progress = new Progress({ isTTY: true, columns: 50, write: (text) => shown.push(text) }, 4);
  progress.round(roundResult(6), totals);
  expect(shown).toEqual([`\r\u001b[K${"[############............] 2/4  2 rounds, 4 orders: 1 lost".slice(0, 49)}`]);
  progress.round(roundResult(7, [lost]), totals);
  expect(shown[1]).toBe(`\r\u001b[K${describeRound(roundResult(7, [lost]))}\n`);
});
