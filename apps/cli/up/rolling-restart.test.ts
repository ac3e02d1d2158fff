import type { ReplicaStatus } from "@stock-bazaar/shared/api";
import { expect, test } from "vitest";
import { statusOf } from "../../../test/support/builders.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { type BazaarState, rollingRestart } from "./rolling-restart.ts";

/** A bazaar in which a restarted part is away for a while. The lead moves to the highest other replica. */
function setUp({ catalogs = ["active"] as BazaarState["catalogs"], leader = 3, staysAway = "" } = {}) {
  const clock = new ManualClock();
  const restarted: string[] = [];
  const lines: string[] = [];
  const away = new Set<string>();
  const stopping = new AbortController();
  let led = leader;
  const isThere = (id: number) => !away.has(`order-${id}`);
  const look = async (): Promise<BazaarState> => {
    const there = [1, 2, 3].filter(isThere);
    const liveFollowers = there.filter((id) => id !== led);
    const statuses = there.map((id): [number, ReplicaStatus] => [
      id,
      statusOf(id, { role: id === led ? "leader" : "follower", term: 1, leader: led, lastId: 5, liveFollowers }),
    ]);
    const states = catalogs.map((state, index) => (away.has(`catalog-${index + 1}`) ? "away" : state));
    return { head: states.includes("active") ? 5 : undefined, catalogs: states, replicas: new Map(statuses) };
  };
  const restart = async (name: string) => {
    restarted.push(name);
    away.add(name);
    if (name === `order-${led}`) led = [3, 2, 1].find((id) => id !== led && isThere(id)) ?? 0;
    if (name !== staysAway) clock.after(500, () => away.delete(name));
  };
  const rolled = { state: "pending", message: "" };
  void rollingRestart({
    replicaIds: [1, 2, 3],
    frontEnds: ["front-end"],
    replicaService: (id) => `order-${id}`,
    catalogService: (place) => `catalog-${place}`,
    look,
    supervisor: {
      restartService: restart,
      replaceFrontEnd: async (name) => void restarted.push(name),
    },
    timeoutMs: 5000,
    clock,
    print: (line) => lines.push(line),
    stopping: stopping.signal,
  }).then(
    () => (rolled.state = "resolved"),
    (error: unknown) => Object.assign(rolled, { state: "rejected", message: String(error) }),
  );
  return { clock, restarted, lines, rolled, stopping };
}

test("followers first, then the leader, the catalog and the front-ends, each when the one before is back", async () => {
  const { clock, restarted, lines, rolled } = setUp({ leader: 2 });
  await clock.advance(300);
  expect(restarted).toEqual(["order-1"]);
  await clock.advance(10_000);
  expect(rolled.state).toBe("resolved");
  expect(restarted).toEqual(["order-1", "order-3", "order-2", "catalog-1", "front-end"]);
  expect(lines).toHaveLength(6);
  expect(lines[2]).toMatch(/^order-2 +leader +0\.5 s$/);
  expect(lines.at(-1)).toMatch(/^5 parts were restarted in 2\.\d s; the longest took 0\.5 s: /);
});

test("of several catalogs the active one is the last", async () => {
  const { clock, restarted } = setUp({ catalogs: ["active", "standby"] });
  await clock.advance(10_000);
  expect(restarted.slice(3)).toEqual(["catalog-2", "catalog-1", "front-end"]);
});

test("it ends at the first part that doesn't come back, and says what is missing", async () => {
  const { clock, restarted, rolled } = setUp({ staysAway: "order-2" });
  await clock.advance(20_000);
  expect(restarted).toEqual(["order-1", "order-2"]);
  expect(rolled.message).toContain(
    "after the restart of order-2, replica 2 doesn't answer for 5.0 s: nothing more is restarted",
  );
});

test("nothing is restarted in a bazaar that isn't whole", async () => {
  const { clock, restarted, rolled } = setUp({ catalogs: ["away"] });
  await clock.advance(20_000);
  expect(restarted).toEqual([]);
  expect(rolled.message).toContain("no catalog answers: nothing is restarted while the bazaar isn't whole");
});

test("when it is stopped, the step under way is the last one", async () => {
  const { clock, restarted, rolled, stopping } = setUp();
  await clock.advance(300);
  stopping.abort();
  await clock.advance(20_000);
  expect(restarted).toEqual(["order-1"]);
  expect(rolled.message).toContain("stopped before order-2: 1 parts were restarted");
});
