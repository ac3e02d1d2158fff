/**
 * Cuts and mends links while the processes at both ends keep running. A cut looks as if the other end had died, or as
 * if the network lost every packet.
 */

import { cutManners } from "@stock-bazaar/cluster/relay";
import { type Link, nameOf } from "@stock-bazaar/cluster/relays";
import type { Fault, Scene } from "./fault.ts";
import type { FaultName } from "./names.ts";
import { catalogName, choose, followerNames, frontEndNames, leaderName, replicaNames, serverName } from "./targets.ts";

type LinkSets = readonly (readonly Link[])[];

/** `candidates` returns sets of links; the links of the chosen set are cut together. */
function cutting(name: FaultName, does: string, candidates: (scene: Scene) => LinkSets | Promise<LinkSets>): Fault {
  return {
    name,
    does,
    needsRelays: true,
    // A leader counts as dead after 500 ms of silence; a silent connection is closed within six seconds.
    holdMs: [
      [20, 450],
      [1000, 3000],
      [6500, 8000],
    ],
    async inflict(scene) {
      const cuts = (await candidates(scene)).flatMap((links) => cutManners.map((manner) => ({ links, manner })));
      const { links, manner } = choose(cuts, scene);
      const relays = links.map((link) => scene.cluster.relay(link));
      await scene.alone(links.map(nameOf), async () => {
        for (const relay of relays) relay.cut(manner);
        await scene.hold();
        for (const relay of relays) relay.mend();
      });
    },
  };
}

export const cuts: readonly Fault[] = [
  cutting("cut-leader-from-catalog", "cuts the link from the leader to the catalog", async (scene) => [
    [{ from: await leaderName(scene), to: await catalogName(scene) }],
  ]),
  cutting("cut-replica-from-catalog", "cuts the link from a follower to the catalog", async (scene) => {
    const to = await catalogName(scene);
    return (await followerNames(scene)).map((from) => [{ from, to }]);
  }),
  cutting("cut-front-end-from-catalog", "cuts the link from a front-end to the catalog", async (scene) => {
    const to = await catalogName(scene);
    return frontEndNames(scene).map((from) => [{ from, to }]);
  }),
  cutting("cut-replicas", "cuts all links between a replica and the others", (scene) =>
    replicaNames(scene).map((name) =>
      replicaNames(scene)
        .filter((other) => other !== name)
        .flatMap((other) => [
          { from: name, to: other },
          { from: other, to: name },
        ]),
    ),
  ),
  cutting("cut-front-end-from-leader", "cuts the link from a front-end to the leader", async (scene) => {
    const to = await leaderName(scene);
    return frontEndNames(scene).map((from) => [{ from, to }]);
  }),
];

export const cutFromServer: Fault = {
  ...cutting(
    "cut-catalog-from-server",
    "cuts the link from the catalog to PostgreSQL: of several, that of the active one",
    async (scene) => [[{ from: await catalogName(scene), to: serverName }]],
  ),
  needsServer: true,
};
