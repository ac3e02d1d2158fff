/** `npm run bench -- --against` measures whole bazaars and the floor beside one another, and checks the databases. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PairsResult } from "@stock-bazaar/bench/pairs/pairs";
import { expect, test } from "vitest";
import { bazaar } from "../support/command-line.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("a comparison with the own checkout: every system trades, and nothing is lost", async () => {
  const folder = temporaryFolder();
  const json = join(folder, "pairs.json");
  const short = ["--seconds", "1", "--warm-up", "0", "--rounds", "1", "--connections", "8"];
  const { exitCode, stdout, stderr } = await bazaar(
    [
      "bench",
      "--against",
      ".",
      "--systems",
      "service,floor",
      "--rows",
      "single,lookups,mixed",
      ...short,
      "--json",
      json,
    ],
    { environment: { TMPDIR: folder } },
  );
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  const { rows, checks, lookupsBesideTrades } = JSON.parse(readFileSync(json, "utf8")) as PairsResult;
  expect(rows.map(({ connections }) => connections)).toEqual([1, 8, 8]);
  for (const { sides } of rows) {
    expect(sides.map(({ side }) => side)).toEqual([".", "this checkout", "floor"]);
    for (const { ok, rateRatio, cpuMicros } of sides) {
      expect(ok).toBeGreaterThan(0);
      expect(rateRatio?.median).toBeGreaterThan(0);
      if (process.platform === "linux")
        expect(Object.keys(cpuMicros).toSorted()).toEqual(["catalog", "followers", "front-end", "leader", "load"]);
    }
  }
  expect(lookupsBesideTrades).toHaveLength(3);
  expect(checks).toHaveLength(2);
  for (const { replies, ledgerRows, unequalReplicas } of checks) {
    expect(replies).toBeGreaterThan(0);
    expect(ledgerRows).toBeGreaterThanOrEqual(replies);
    expect(unequalReplicas).toEqual([]);
  }
  expect(stdout).toContain("this checkout lost nothing");
  expect(readdirSync(folder)).toEqual(["pairs.json"]);
});
