import { expect, test } from "vitest";
import { parseClusterState } from "./cluster-state.ts";

/** As version 9c29f44 answered, which had fewer fields. */
const reply = (lag: number, leader: number | null) => ({
  data: {
    leader,
    catalog: { state: "live", last_id: 7 },
    replicas: [
      { id: 1, state: "live", role: "follower", last_id: 7 - lag, lag, live_followers: [] },
      { id: 3, state: "live", role: "leader", last_id: 7, lag: 0, live_followers: [1] },
    ],
  },
});

test("the state of a bazaar of any version", () => {
  expect(parseClusterState(reply(0, 3))).toEqual({ leader: 3, liveFollowers: 1, head: 7, isEven: true });
  expect(parseClusterState(reply(2, 3))).toEqual({ leader: 3, liveFollowers: 1, head: 7, isEven: false });
});

test("without a leader there are no live followers", () => {
  expect(parseClusterState(reply(0, null))).toMatchObject({ leader: 0, liveFollowers: 0 });
});

test("a reply that no bazaar gives is refused", () => {
  expect(() => parseClusterState({ error: "no" })).toThrow('/cluster must list replicas (got {"error":"no"})');
});
