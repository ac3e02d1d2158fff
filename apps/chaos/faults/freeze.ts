/** SIGSTOP, then SIGCONT: before the others count the process as dead, or after. */

import type { Fault, Scene } from "./fault.ts";
import type { FaultName } from "./names.ts";
import { catalogName, followerName, frontEndName, leaderName, standbyName } from "./targets.ts";

/** A process counts as dead after 500 ms of silence. */
const usualMs: Fault["holdMs"] = [
  [20, 450],
  [550, 1500],
];

function freezing(
  name: FaultName,
  does: string,
  target: (scene: Scene) => string | Promise<string>,
  holdMs: Fault["holdMs"] = usualMs,
): Fault {
  return {
    name,
    does,
    holdMs,
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
  freezing("freeze-catalog", "freezes the catalog: of several, the active one", catalogName),
  freezing("freeze-front-end", "freezes a front-end", frontEndName),
];

/** An active one that is frozen for as long is replaced by a standby. */
export const freezeStandby: Fault = {
  ...freezing("freeze-standby-catalog", "freezes a catalog that stands by", standbyName),
  needsStandby: true,
};
