/** All faults. */

import { cuts } from "./cut.ts";
import type { Fault } from "./fault.ts";
import { freezes } from "./freeze.ts";
import { fillCatalogDisk, fillReplicaDisk } from "./full-disk.ts";
import { killCatchingUp, killNewLeader } from "./halfway.ts";
import { kills } from "./kill.ts";
import { killFirstMigration, killMigration, loseReplicaDatabase } from "./lost-database.ts";
import type { FaultName } from "./names.ts";
import { oldCatalog } from "./old-catalog.ts";
import { powerCuts } from "./power-cut.ts";
import { killCatalogUnseen, restartCatalogWithAnotherLease } from "./unseen-restart.ts";

export type { Fault } from "./fault.ts";

export const faults: readonly Fault[] = [
  ...kills,
  ...freezes,
  killNewLeader,
  killCatchingUp,
  killCatalogUnseen,
  ...powerCuts,
  loseReplicaDatabase,
  killMigration,
  killFirstMigration,
  fillReplicaDisk,
  fillCatalogDisk,
  ...cuts,
  restartCatalogWithAnotherLease,
  oldCatalog,
];

/** Those of the named faults that are possible without a catalog's file. */
export function withoutCatalogFile(names: readonly FaultName[]): FaultName[] {
  return names.filter((name) => faultNamed(name).needsCatalogFile !== true);
}

export function faultNamed(name: FaultName): Fault {
  const fault = faults.find((fault) => fault.name === name);
  if (!fault) throw new Error(`a fault must have one of the known names (got ${name})`);
  return fault;
}
