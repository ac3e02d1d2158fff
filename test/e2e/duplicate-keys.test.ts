/** The same key from many clients at once, through two front-ends, while the leader dies: one outcome, one order. */

import { ordersByKey } from "@stock-bazaar/chaos/checks/snapshot";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { orderNumber } from "@stock-bazaar/client/requests";
import { at } from "@stock-bazaar/shared/json";
import { expect, test } from "vitest";
import { type Answer, newTrade, trade } from "../support/requests.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";

const keys = 200;
const clientsPerKey = 8;
/** Keys in flight at once: if all were, most would be decided before the leader is dead. */
const lanes = 10;

test("200 keys, each sent by 8 clients at once through two front-ends while leaders die: one outcome each", async (context) => {
  const cluster = await Cluster.start(context, { frontEnds: 2 });
  const requests = Array.from({ length: keys }, (_, index) =>
    newTrade(
      index % 10 === 9
        ? { name: "FishCo", type: "buy", quantity: 1_000_000 }
        : { type: index % 2 === 0 ? "buy" : "sell", quantity: 2 },
    ),
  );
  const answers = new Map<string, Answer[]>();
  const sendAll = async (request: (typeof requests)[number]) => {
    const sent = Array.from({ length: clientsPerKey }, (_, client) =>
      trade(cluster.frontEndUrl(1 + (client % 2)), request),
    );
    answers.set(request.key, await Promise.all(sent));
  };
  const background = new Traffic({ urls: cluster.urls, clients: 16 });
  const waiting = [...requests];
  const lane = async () => {
    for (let request = waiting.shift(); request; request = waiting.shift()) {
      await sendAll(request);
      if (answers.size === keys / 4) await cluster.order(3).kill();
      if (answers.size === keys / 2) cluster.order(3).start();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  await cluster.leaderIs(2);
  await cluster.settled();
  await background.stop();

  const inLedger = await ordersByKey(
    cluster,
    requests.map(({ key }) => key),
  );
  const acknowledged = requests.flatMap(({ key, type, quantity }) => {
    const different = new Set((answers.get(key) ?? []).map(({ status, body }) => JSON.stringify({ status, body })));
    expect([...different]).toHaveLength(1);
    const [{ status, body } = { status: 0, body: undefined }] = answers.get(key) ?? [];
    expect(status === 200 || at(body, "error", "reason") === "INSUFFICIENT_QUANTITY").toBe(true);
    return status === 200 ? [{ id: orderNumber(body), key, type, quantity }] : [];
  });
  expect(inLedger).toEqual(acknowledged.sort((a, b) => Number(a.id) - Number(b.id)));
  expect([...answers.values()].every((all) => all.length === clientsPerKey)).toBe(true);
  expect(inLedger.length).toBeGreaterThan(0);
  expect(background.failures).toEqual([]);
  await expectInvariants(cluster, { records: background.records });
});
