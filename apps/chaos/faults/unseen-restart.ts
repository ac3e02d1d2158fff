/** Restarts the catalog while a front-end is frozen. The frozen cache may hold a lease from before the restart. */

import type { StartOptions } from "@stock-bazaar/cluster/service";
import { readConfig } from "@stock-bazaar/process/config";
import type { Fault, Scene } from "./fault.ts";
import { catalogName, choose, frontEndName, frontEndNames, kill, start } from "./targets.ts";

/** Far more than needed once the other faults are mended. */
const timeoutMs = 20_000;
const tradesUnseen = 20;
/** The first three are allowed with every REQUEST_TIMEOUT_MS, the others only up to half of it. */
const leasesMs = [50, 200, 500, 1000, 2000] as const;
const leaseMsAlwaysAllowed = 500;

export const killCatalogUnseen: Fault = {
  name: "kill-catalog-unseen",
  does: "freezes a front-end, kills the catalog, and wakes the front-end when others have traded again",
  holdMs: [[0, 100]],
  inflict: (scene) => restartUnseen(scene, frontEndName(scene)),
};

export const restartCatalogWithAnotherLease: Fault = {
  name: "restart-catalog-with-another-lease",
  does: "freezes a front-end, kills the catalog, starts it with another CACHE_LEASE_MS, and wakes the front-end when others have traded",
  holdMs: [[0, 100]],
  async inflict(scene) {
    const { requestTimeoutMs } = readConfig(scene.cluster.environment);
    const leasesMs = allowedLeasesMs(requestTimeoutMs);
    const restarts = frontEndNames(scene).flatMap((frontEnd) => leasesMs.map((leaseMs) => ({ frontEnd, leaseMs })));
    const { frontEnd, leaseMs } = choose(restarts, scene);
    await restartUnseen(scene, frontEnd, { environment: { CACHE_LEASE_MS: String(leaseMs) } });
  },
};

/** The values of CACHE_LEASE_MS that the catalog accepts. */
export function allowedLeasesMs(requestTimeoutMs: number): number[] {
  return leasesMs.filter((leaseMs) => leaseMs <= Math.max(leaseMsAlwaysAllowed, requestTimeoutMs / 2));
}

async function restartUnseen(scene: Scene, frontEndName: string, options?: StartOptions): Promise<void> {
  const { cluster, traffic, signal } = scene;
  const frontEnd = cluster.service(frontEndName);
  const catalog = await catalogName(scene);
  await scene.alone([frontEndName, catalog], async () => {
    frontEnd.freeze();
    try {
      await kill(scene, [catalog]);
      await scene.hold();
      await start(scene, [catalog], options);
      // The frozen cache may still hold a lease, which the restarted catalog has no session for. Trades go on at other
      // front-ends; a single front-end is the frozen one, so there can be none.
      if (cluster.urls.length > 1) await traffic.more(tradesUnseen, { timeoutMs, signal });
    } finally {
      frontEnd.thaw();
    }
  });
}
