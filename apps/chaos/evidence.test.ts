import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Cluster } from "@stock-bazaar/cluster/cluster";
import { openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { onTestFinished, expect, test } from "vitest";
import { soundRecords } from "../../test/support/sound-databases.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { keepEvidence } from "./evidence.ts";
import { faultNames } from "./faults/names.ts";
import { planRound } from "./plan.ts";

test("the plan, the histories, the logs and the databases of a failing round are kept", async () => {
  const cluster = await Cluster.create({ replicas: 2, smallDisk: "order-2" });
  onTestFinished(() => cluster.dispose());
  const plan = planRound(4, { seed: 7, roundMs: 2000, frontEnds: 1, clients: 2, faults: faultNames });
  const trades = soundRecords();
  const kept = await keepEvidence(temporaryFolder(), 7, cluster, {
    plan,
    violations: [{ promise: "I4", harm: "lost", text: "gone" }],
    trades,
    history: { trades, replays: [], lookups: [], failedLookups: [], queries: [] },
    longestSilenceMs: 0,
    tookMs: 0,
  });

  expect(kept).toMatch(/seed-7-round-4$/);
  const read = (name: string) => readFileSync(join(kept, name), "utf8");
  expect(JSON.parse(read("plan.json"))).toMatchObject({ seed: 7, round: 4, faults: plan.faults });
  const lines = read("trades.jsonl").trimEnd().split("\n");
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(trades)));
  expect(read("violations.jsonl")).toBe('{"promise":"I4","harm":"lost","text":"gone"}\n');
  expect(readdirSync(kept)).toEqual(expect.arrayContaining(["catalog.log", "order-1.log", "front-end-1.log"]));
  openCatalogDatabase(join(kept, "data")).close();
  for (const id of [1, 2]) openOrderDatabase(join(kept, "data"), id).close();
});
