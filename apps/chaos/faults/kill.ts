/** kill -9, then a restart: at once, or after others have taken over. */

import type { Fault, Scene } from "./fault.ts";
import type { FaultName } from "./names.ts";
import {
  catalogName,
  choose,
  followerName,
  frontEndName,
  kill,
  leaderName,
  replicaNames,
  standbyName,
  start,
} from "./targets.ts";

function killing(name: FaultName, does: string, targets: (scene: Scene) => string[] | Promise<string[]>): Fault {
  return {
    name,
    does,
    holdMs: [
      [0, 50],
      [200, 1000],
    ],
    async inflict(scene) {
      const names = await targets(scene);
      await scene.alone(names, async () => {
        await kill(scene, names);
        await scene.hold();
        await start(scene, names);
      });
    },
  };
}

export const kills: readonly Fault[] = [
  killing("kill-leader", "kills the leader", async (scene) => [await leaderName(scene)]),
  killing("kill-follower", "kills a follower", async (scene) => [await followerName(scene)]),
  killing("kill-catalog", "kills the catalog: of several, the active one", async (scene) => [await catalogName(scene)]),
  killing("kill-front-end", "kills a front-end", (scene) => [frontEndName(scene)]),
  killing("kill-two-replicas", "kills all replicas but one", (scene) => {
    const spared = choose(replicaNames(scene), scene);
    return replicaNames(scene).filter((name) => name !== spared);
  }),
  killing("kill-all-replicas", "kills all replicas", replicaNames),
  killing("kill-leader-and-catalog", "kills the leader and the catalog", async (scene) => [
    await leaderName(scene),
    await catalogName(scene),
  ]),
  killing("kill-everything", "kills all processes", ({ cluster }) => cluster.names),
];

export const killStandby: Fault = {
  ...killing("kill-standby-catalog", "kills a catalog that stands by", async (scene) => [await standbyName(scene)]),
  needsStandby: true,
};
