/** All faults. */

import { cutFromServer, cuts } from "./cut.ts";
import type { Fault } from "./fault.ts";
import { freezeStandby, freezes } from "./freeze.ts";
import { fillCatalogDisk, fillReplicaDisk } from "./full-disk.ts";
import { killCatchingUp, killNewLeader } from "./halfway.ts";
import { killStandby, kills } from "./kill.ts";
import { killFirstMigration, killMigration, loseReplicaDatabase } from "./lost-database.ts";
import { canMount } from "@stock-bazaar/cluster/small-disk";
import type { FaultName } from "./names.ts";
import { oldCatalog } from "./old-catalog.ts";
import { powerCuts } from "./power-cut.ts";
import { serverFaults } from "./server.ts";
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
  // From here on, for ledgers on PostgreSQL.
  ...serverFaults,
  cutFromServer,
  killStandby,
  freezeStandby,
];

/** Those of the named faults that are possible where the ledgers are. */
export function possibleFaults(names: readonly FaultName[], { onServer }: { onServer: boolean }): FaultName[] {
  return names.filter((name) => {
    const { needsCatalogFile, needsServer, needsStandby, needsMounts } = faultNamed(name);
    if (needsMounts && !canMount()) return false;
    return onServer ? !needsCatalogFile : !needsServer && !needsStandby;
  });
}

export function faultNamed(name: FaultName): Fault {
  const fault = faults.find((fault) => fault.name === name);
  if (!fault) throw new Error(`a fault must have one of the known names (got ${name})`);
  return fault;
}
