/** `npm run rebuild-catalog`: rebuilds a catalog.db that is lost or behind the replicas, from a replica's orders. */

import { rebuildCatalog } from "@stock-bazaar/db/recovery/rebuild-catalog";
import { rebuildFromServices } from "@stock-bazaar/db/recovery/rebuild-from-services";
import { readConfig } from "@stock-bazaar/process/config";
import { withReplicaServices } from "../replica-services.ts";
import { requireNoCatalog } from "../up/ports.ts";

export interface RebuildCatalogOptions {
  readonly file?: string;
  readonly fromServices?: boolean;
}

export async function rebuildCatalogFile({ file, fromServices = false }: RebuildCatalogOptions): Promise<void> {
  const config = readConfig(process.env);
  const others = fromServices ? "" : ", preferably with all other services";
  await requireNoCatalog(config, `stop it first${others}`);
  const rebuilt = fromServices
    ? await withReplicaServices(config, "rebuild-catalog", (services) => rebuildFromServices(config, services, file))
    : await rebuildCatalog(config, file);
  const lines = [
    `${rebuilt.file}: orders: ${rebuilt.orders}, all of ${rebuilt.replica}, on the stocks of ${rebuilt.stocks}`,
    ...(rebuilt.aside === undefined ? [] : [`What was there is now ${rebuilt.aside}`]),
    ...rebuilt.missing.map(
      (name) => `Not read, because it is missing: ${name}. Orders that no other replica had are lost.`,
    ),
    ...rebuilt.notWhole.map(
      (name) =>
        `May lack its last orders, for example after a power cut: ${name}. Orders that no replica has are lost.`,
    ),
    "Not restored: rejections of trades (a trade that is sent again with the same key is decided anew), and orders",
    "that had reached no replica (they were never acknowledged).",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
