/**
 * Starts the catalog on an older copy of its ledger, like one from a backup, and puts the newest one back later. In between,
 * no trade may receive the number of an acknowledged order, and no lookup a quantity from before an acknowledged change.
 */

import { eventually } from "@stock-bazaar/cluster/wait";
import { numbersGivenAgain } from "../checks/given-again.ts";
import type { Fault, Scene } from "./fault.ts";
import { copyLedger, type LedgerCopy } from "./stored-ledger.ts";
import { catalogNames, kill, serverName, start } from "./targets.ts";

/** Far more than needed once the other faults are mended. */
const timeoutMs = 20_000;
/** How many orders to accept after the copy: the old catalog would reuse their numbers. */
const ordersSinceCopy = 50;

export const oldCatalog: Fault = {
  name: "old-catalog",
  does: "runs the catalog on an older copy of its ledger until the newest one is put back",
  needsCatalogApart: true,
  holdMs: [
    [200, 1000],
    [1500, 3000],
  ],
  async inflict(scene) {
    const { cluster, traffic, signal } = scene;
    const names = catalogNames(scene);
    await scene.alone([...names, serverName], async () => {
      const copy = await copyLedger(cluster);
      try {
        await traffic.more(ordersSinceCopy, { timeoutMs, signal });
        await kill(scene, names);
        const before = traffic.accepted;
        await whileOld(scene, copy);
        const since = traffic.accepted.slice(before.length);
        for (const violation of await numbersGivenAgain(cluster, before, since)) scene.found(violation);
      } finally {
        await copy.remove();
      }
    });
  },
};

/** Runs the catalogs on the old copy. They must have ended before; when this resolves, they run on the newest ledger. */
async function whileOld(scene: Scene, copy: LedgerCopy): Promise<void> {
  const { cluster, signal } = scene;
  const services = catalogNames(scene).map((name) => cluster.service(name));
  await copy.use();
  try {
    for (const service of services) service.start();
    const areUp = () =>
      services.every(({ exit, newLines }) => exit !== undefined || newLines.some((line) => line.includes("listening")));
    await eventually("the old catalog listens or refuses to start", areUp, { timeoutMs, signal });
    await scene.hold();
  } finally {
    await Promise.all(services.map((service) => service.kill()));
    await copy.useNewest();
    await start(scene, catalogNames(scene));
  }
}
