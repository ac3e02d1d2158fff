/** Kills a replica in the middle of a takeover or of catching up. */

import { eventually } from "@stock-bazaar/cluster/wait";
import type { Fault } from "./fault.ts";
import { followerName, kill, leaderName, replicaNames, start } from "./targets.ts";

/** The range in which the new leader is killed: it serves a few milliseconds after its term began. */
const takeoverMs = 15;
const catchUpMs = 60;
/** Far more than needed once the other faults are mended. */
const timeoutMs = 20_000;
const missedOrders = 150;

export const killNewLeader: Fault = {
  name: "kill-new-leader",
  does: "kills the leader, and the next one as soon as its term has begun",
  holdMs: [
    [0, 50],
    [200, 1000],
  ],
  async inflict(scene) {
    await scene.alone(replicaNames(scene), async () => {
      const leader = await leaderName(scene);
      await kill(scene, [leader]);
      const next = await eventually(
        "a next leader",
        async () => {
          // Compares the leader, not the term: a term may have begun between the read of the leader and its death.
          const name = await leaderName(scene);
          return name !== leader && name;
        },
        { timeoutMs, signal: scene.signal, pollMs: 1 },
      );
      await Bun.sleep(scene.choice * takeoverMs);
      await kill(scene, [next]);
      await scene.hold();
      await start(scene, [leader, next]);
    });
  },
};

export const killCatchingUp: Fault = {
  name: "kill-catching-up",
  does: "kills a follower, waits for more orders, and kills it again while it catches up",
  holdMs: [[0, 300]],
  async inflict(scene) {
    const name = await followerName(scene);
    const service = scene.cluster.service(name);
    await scene.alone([name], async () => {
      await kill(scene, [name]);
      await scene.traffic.more(missedOrders, { timeoutMs, signal: scene.signal });
      service.start();
      const hasStarted = () => service.newLines.some((line) => line.includes("replica started"));
      await eventually(`${name} reads its log`, hasStarted, { timeoutMs, signal: scene.signal, pollMs: 1 });
      await Bun.sleep(scene.choice * catchUpMs);
      await kill(scene, [name]);
      await scene.hold();
      service.start();
    });
  },
};
