import { watchFile } from "@stock-bazaar/sqlite/file-watch";
import { requireOneHistory } from "@stock-bazaar/db/recovery/history";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { defaultPatience } from "@stock-bazaar/sqlite/patient-writes";
import { lockForService } from "@stock-bazaar/sqlite/service-lock";
import { speakerOf } from "@stock-bazaar/transport/handshake";
import { systemClock } from "@stock-bazaar/shared/clock";
import { startServer } from "@stock-bazaar/transport/server";
import { runService } from "@stock-bazaar/process/service";
import { serveCatalog } from "@stock-bazaar/transport/catalog-service";
import { createSqliteLedger } from "@stock-bazaar/ledger/sqlite/sqlite-ledger";
import { Catalog } from "./catalog.ts";

/** How long calls that were taken in may take to finish once the service stops. */
const stopGraceMs = 2000;

await runService("catalog", async ({ name, config, logger, stopping, fatal }) => {
  requireOneHistory(config);
  // Before the file is opened: nobody makes another one of this name from here on.
  const unlock = lockForService(catalogFile(config.dataDir));
  const database = openCatalogDatabase(config.dataDir);
  const endWatch = watchFile(database.client.name, systemClock, fatal);
  const ledger = createSqliteLedger(database, fatal, {
    clock: systemClock,
    // Well before the caller gives up: it would take the catalog for unreachable, and another leader would be chosen.
    patienceMs: Math.min(defaultPatience.patienceMs, config.rpcTimeoutMs / 4),
  });
  const catalog = await Catalog.start({ ledger, clock: systemClock, logger, leaseMs: config.cacheLeaseMs, stopping });
  const self = speakerOf(name, logger);
  const server = await startServer(config.listen.catalog, serveCatalog(catalog, self));
  logger.info({ host: config.listen.catalog.host, port: server.port }, "listening");
  return async () => {
    const drained = server.stop(stopGraceMs);
    catalog.endTails();
    await drained;
    endWatch();
    await catalog.stop();
    unlock();
  };
});
