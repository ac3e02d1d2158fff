/** The promises, expected of a test's cluster. */

import { violations } from "@stock-bazaar/chaos/checks/invariants";
import { untilEqual } from "@stock-bazaar/chaos/checks/snapshot";
import type { TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { expect } from "vitest";
import type { Cluster } from "./cluster.ts";

export interface Expected {
  /** What clients were told. */
  readonly records?: readonly TradeRecord[];
  /** ORDER_MIN_COPIES; default 1. */
  readonly minCopies?: number;
  /** Replicas that run, and so must end up equal to the ledger (I8). Default: all that run. */
  readonly equal?: readonly number[];
}

/** I1–I5 and I8. Waits for the replicas to be equal first: nothing else here is a matter of time. */
export async function expectInvariants(cluster: Cluster, expected: Expected = {}): Promise<void> {
  const { records = [], minCopies = 1 } = expected;
  const equal = expected.equal ?? cluster.replicaIds.filter((id) => cluster.order(id).isRunning);
  const { initialQuantities } = cluster;
  const found = await untilEqual(cluster, equal, (snapshot) =>
    violations(snapshot, { records, minCopies, equal, initialQuantities }),
  );
  expect(found).toEqual([]);
}
