/** `npm run rebuild-catalog`: makes a catalog.db that is lost, or that the replicas are ahead of, from a replica. */

import { rebuildCatalog } from "@stock-bazaar/db/recovery/rebuild-catalog";
import { readConfig } from "@stock-bazaar/process/config";
import { requireNoCatalog } from "../up/ports.ts";

export interface RebuildCatalogOptions {
  readonly file?: string;
}

export async function rebuildCatalogFile({ file }: RebuildCatalogOptions): Promise<void> {
  const config = readConfig(process.env);
  await requireNoCatalog(config, "stop it first, best with everything else");
  const rebuilt = await rebuildCatalog(config, file);
  const lines = [
    `${rebuilt.file}: orders: ${rebuilt.orders}, all of ${rebuilt.replica}, on the stocks of ${rebuilt.stocks}`,
    ...(rebuilt.aside === undefined ? [] : [`The file that was there is now ${rebuilt.aside}`]),
    ...rebuilt.missing.map(
      (name) => `Not looked at, as it isn't there: ${name}. Orders that no other replica had are lost.`,
    ),
    "Not brought back: rejections of trades, which are decided anew when they are asked again with the same",
    "Idempotency-Key, and orders that had reached no replica, which nobody was told of.",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
