import { requireOneHistory } from "@stock-bazaar/db/recovery/history";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { speakerOf } from "@stock-bazaar/transport/handshake";
import { systemClock } from "@stock-bazaar/shared/clock";
import { startServer } from "@stock-bazaar/transport/server";
import { runService } from "@stock-bazaar/process/service";
import { serveCatalog } from "@stock-bazaar/transport/catalog-service";
import { Catalog } from "./catalog.ts";

/** How long calls that were taken in may take to finish once the service stops. */
const stopGraceMs = 2000;

await runService("catalog", async ({ name, config, logger, stopping, fatal }) => {
  await requireOneHistory(config);
  const store = chosenLedgerStore(config);
  // Before the ledger is opened: nobody puts another one in its place from here on.
  const unlock = await store.lock();
  const ledger = await store.open({
    broken: fatal,
    clock: systemClock,
    // Well before the caller gives up: it would take the catalog for unreachable, and another leader would be chosen.
    patienceMsMax: config.rpcTimeoutMs / 4,
  });
  const endWatch = store.watch(systemClock, fatal);
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
    await unlock();
  };
});
