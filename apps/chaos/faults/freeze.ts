/** SIGSTOP, then SIGCONT: before the others count the process as dead, or after. */

import type { Fault, Scene } from "./fault.ts";
import type { FaultName } from "./names.ts";
import { followerName, frontEndName, leaderName } from "./targets.ts";

function freezing(name: FaultName, does: string, target: (scene: Scene) => string | Promise<string>): Fault {
  return {
    name,
    does,
    // A process counts as dead after 500 ms of silence.
    holdMs: [
      [20, 450],
      [550, 1500],
    ],
    async inflict(scene) {
      const name = await target(scene);
      const service = scene.cluster.service(name);
      await scene.alone([name], async () => {
        service.freeze();
        await scene.hold();
        service.thaw();
      });
    },
  };
}

export const freezes: readonly Fault[] = [
  freezing("freeze-leader", "freezes the leader", leaderName),
  freezing("freeze-follower", "freezes a follower", followerName),
  freezing("freeze-catalog", "freezes the catalog", () => "catalog"),
  freezing("freeze-front-end", "freezes a front-end", frontEndName),
];
