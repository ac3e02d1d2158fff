/** Something that goes wrong with real processes and files, and is mended again. */

import type { Cluster } from "@stock-bazaar/cluster/cluster";
import type { Violation } from "../checks/violation.ts";
import type { Traffic } from "../clients/traffic.ts";
import type { FaultName } from "./names.ts";

export interface Fault {
  readonly name: FaultName;
  /** What it does, for people. */
  readonly does: string;
  /** It fills up the disk of the catalog, or of a replica. */
  readonly needsSmallDisk?: "catalog" | "replica";
  /** It cuts links. */
  readonly needsRelays?: true;
  /** It replaces the catalog's database: a replica's file beside it would keep the catalog from starting. */
  readonly needsCatalogApart?: true;
  /** It deletes a database: orders that were on a replica's disk need not be there for a while. */
  readonly deletes?: true;
  /** From which range to take how long it lasts; with several, each as often as the others. */
  readonly holdMs: readonly (readonly [min: number, max: number])[];
  /** Does the harm, lets it last, and mends it: whatever it stopped runs again when it resolves. */
  inflict(scene: Scene): Promise<void>;
}

/** What a fault may use. */
export interface Scene {
  readonly cluster: Cluster;
  readonly traffic: Pick<Traffic, "more" | "accepted">;
  readonly signal: AbortSignal;
  /** From 0 to 1. */
  readonly choice: number;
  /** Resolves when the fault has lasted as long as planned. */
  readonly hold: () => Promise<void>;
  /** No other fault touches these services or links until the action has ended. Waits for those that do. */
  readonly alone: (names: readonly string[], action: () => Promise<void>) => Promise<void>;
  /** What the fault itself saw go wrong. */
  readonly found: (violation: Violation) => void;
}
