/** One link is cut and stays cut while all processes run: trades use the other links. */

import { eventually } from "@stock-bazaar/cluster/wait";
import { expect, test } from "vitest";
import { newTrade, trade } from "../support/requests.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";

const frontEnds = 2;

test("when only the leader can't reach the catalog, it is replaced and no request fails", async (context) => {
  const cluster = await Cluster.start(context, { frontEnds, relays: true });
  expect(await cluster.leader()).toBe(3);

  const link = cluster.relay({ from: "order-3", to: "catalog" });
  link.cut("refused");
  // Each trade is sent once, so it must be answered within REQUEST_TIMEOUT_MS.
  const replies = await Promise.all(cluster.urls.map((url) => trade(url, newTrade())));
  expect(replies.map(({ status }) => status)).toEqual([200, 200]);
  for (let frontEnd = 1; frontEnd <= frontEnds; frontEnd += 1) {
    await eventually(`front-end ${frontEnd} knows another leader`, async () => {
      const leader = await cluster.leader(frontEnd);
      return leader !== undefined && leader !== 3;
    });
  }

  link.mend();
  await cluster.settled();
  await expectInvariants(cluster);
});
