/** A fault: damage to real processes, links or files that is mended again. */

import type { Cluster } from "@stock-bazaar/cluster/cluster";
import type { Violation } from "../checks/violation.ts";
import type { Traffic } from "../clients/traffic.ts";
import type { LedgerServer } from "../ledger-server.ts";
import type { FaultName } from "./names.ts";

export interface Fault {
  readonly name: FaultName;
  /** One line for the report. */
  readonly does: string;
  /** Set if it fills the disk of the catalog or of a replica. */
  readonly needsSmallDisk?: "catalog" | "replica";
  /** Set if it cuts links. */
  readonly needsRelays?: true;
  /** Set if it replaces the catalog's database: with a replica's file beside it, the catalog would refuse to start. */
  readonly needsCatalogApart?: true;
  /** Set if it needs the catalog's file: on PostgreSQL there is none. */
  readonly needsCatalogFile?: true;
  /** Set if it happens to the PostgreSQL server of the ledger. */
  readonly needsServer?: true;
  /** Set if it happens to a catalog that stands by. */
  readonly needsStandby?: true;
  /** Set if it mounts a disk, which takes root on Linux, and nothing can stand in for that. */
  readonly needsMounts?: true;
  /** Set if it deletes orders of a replica: until the replica has read them again, they have one copy less. */
  readonly deletes?: true;
  /** Ranges for how long it lasts; each range is chosen equally often. */
  readonly holdMs: readonly (readonly [min: number, max: number])[];
  /** Does the damage, lets it last, and mends it. When this resolves, all that it stopped runs again. */
  inflict(scene: Scene): Promise<void>;
}

/** What a fault can use. */
export interface Scene {
  readonly cluster: Cluster;
  /** `undefined` if the ledger is a file. */
  readonly server: LedgerServer | undefined;
  readonly traffic: Pick<Traffic, "more" | "accepted">;
  readonly signal: AbortSignal;
  /** A number from 0 to 1 from the plan: which target or moment, if the fault leaves that open. */
  readonly choice: number;
  /** Resolves when the fault has lasted as long as planned. */
  readonly hold: () => Promise<void>;
  /** Runs the action while no other fault touches these services or links; waits for faults that do. */
  readonly alone: (names: readonly string[], action: () => Promise<void>) => Promise<void>;
  /** Reports a violation that the fault itself detected. */
  readonly found: (violation: Violation) => void;
}
