/** One link is cut and stays cut while all processes run: trading goes on over the others. */

import { eventually } from "@stock-bazaar/cluster/wait";
import { expect, test } from "vitest";
import { newTrade, trade } from "../support/requests.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";

const frontEnds = 2;

test("a leader that alone can't reach the catalog is replaced, and no request fails meanwhile", async (context) => {
  const cluster = await Cluster.start(context, { frontEnds, relays: true });
  expect(await cluster.leader()).toBe(3);

  const link = cluster.relay({ from: "order-3", to: "catalog" });
  link.cut("refused");
  // Each is sent once: it has until REQUEST_TIMEOUT_MS, and 503 when that is over.
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
