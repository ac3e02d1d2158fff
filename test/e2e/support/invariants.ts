/** Checks the promises in a test's cluster. */

import { violations } from "@stock-bazaar/chaos/checks/invariants";
import { untilEqual } from "@stock-bazaar/chaos/checks/snapshot";
import type { TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { expect } from "vitest";
import type { Cluster } from "./cluster.ts";

export interface Expected {
  /** The trades that clients sent, with their answers. */
  readonly records?: readonly TradeRecord[];
  /** ORDER_MIN_COPIES; 1 by default. */
  readonly minCopies?: number;
  /** Replicas that must become equal to the ledger (I8); by default all that run. */
  readonly equal?: readonly number[];
}

/** Expects I1–I5 and I8. Waits first until the replicas are equal; the other promises hold at any time. */
export async function expectInvariants(cluster: Cluster, expected: Expected = {}): Promise<void> {
  const { records = [], minCopies = 1 } = expected;
  const equal = expected.equal ?? cluster.replicaIds.filter((id) => cluster.order(id).isRunning);
  const { initialQuantities } = cluster;
  const found = await untilEqual(cluster, equal, (snapshot) =>
    violations(snapshot, { records, minCopies, equal, initialQuantities }),
  );
  expect(found).toEqual([]);
}
