import { type Clock, pause } from "@stock-bazaar/shared/clock";
import type { Bazaar } from "./bazaar.ts";
import { leaderOf } from "./http/cluster-view.ts";

const askEveryMs = 20;

/** Resolves when the catalog and a leader answer, so that trades need not wait; or when `stopping` aborts. */
export async function untilReady(bazaar: Pick<Bazaar, "cluster">, clock: Clock, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    const cluster = await bazaar.cluster();
    if (cluster.catalog.state === "live" && leaderOf(cluster) !== undefined) return;
    await pause(clock, askEveryMs);
  }
}
