import { requireOneHistory } from "@stock-bazaar/db/recovery/history";
import { isKnownHere, replicasNamed } from "@stock-bazaar/db/recovery/replicas-here";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import type { LedgerStore } from "@stock-bazaar/ledger/store";
import { addressText } from "@stock-bazaar/process/addresses";
import type { ServiceContext } from "@stock-bazaar/process/service";
import { catalogProblems, refusing } from "@stock-bazaar/sqlite/database-error";
import { untilRoom } from "@stock-bazaar/sqlite/until-room";
import { speakerOf } from "@stock-bazaar/transport/handshake";
import { systemClock } from "@stock-bazaar/shared/clock";
import { type RunningServer, startServer } from "@stock-bazaar/transport/server";
import { runService } from "@stock-bazaar/process/service";
import { catalogListenAddress } from "@stock-bazaar/process/config";
import { serveCatalog } from "@stock-bazaar/transport/catalog-service";
import { connectReplica } from "@stock-bazaar/transport/order-client";
import { Catalog } from "./catalog.ts";
import { isNewLedger, untilNoReplicaHasOrders } from "./new-ledger.ts";
import { StandbyCatalog } from "./standby.ts";
import { waitingCatalog } from "./waiting-catalog.ts";

/** How long calls in flight may take to finish once the service stops. */
const stopGraceMs = 2000;

await runService("catalog", refusing(catalogProblems, start));

async function start(context: ServiceContext): Promise<() => Promise<void>> {
  const { name, config, logger, identity, stopping, fatal } = context;
  const address = catalogListenAddress(config);
  const store = chosenLedgerStore(config);
  const self = speakerOf(name, logger, identity);
  /** Callers learn the reason while the service waits for room on its disk. */
  const waiting = {
    clock: systemClock,
    logger,
    stopping,
    waits: async (reason: string) => {
      const server = await startServer(address, serveCatalog(waitingCatalog(reason), self));
      return () => server.stop(0);
    },
  };
  const isNew = await untilRoom(async () => {
    await store.requireUsable();
    await requireOneHistory(config);
    return !(await store.isMissing()) && isNewLedger(await store.read((view) => view.register()));
  }, waiting);
  if (isNew) await untilAllAreEmpty(store, context);
  const opening = {
    broken: fatal,
    warn: (text: string) => logger.warn(text),
    clock: systemClock,
    // Much shorter than the caller's timeout: after a timeout the front-ends would choose another leader.
    patienceMsMax: config.rpcTimeoutMs / 4,
  };
  const options = { clock: systemClock, logger, leaseMs: config.cacheLeaseMs };
  const listening = (server: RunningServer) => logger.info({ host: address.host, port: server.port }, "listening");

  if (config.catalogs.length > 1 && store.standBy) {
    const takeOver = await store.standBy(opening);
    const changed = (isActive: boolean) => server.setServing(isActive);
    const catalog = new StandbyCatalog({ ...options, takeOver, changed, fatal });
    const server = await startServer(address, serveCatalog(catalog, self), { clock: systemClock, logger });
    server.setServing(false);
    listening(server);
    catalog.start();
    const endWatch = store.watch(systemClock, fatal);
    return async () => {
      await drain(server, catalog);
      endWatch();
      await catalog.stop();
    };
  }

  // Before the ledger is opened: from here on, no other process may put another one in its place.
  const unlock = await untilRoom(() => store.lock(), waiting);
  const { catalog, endWatch } = await untilRoom(async () => {
    const ledger = await store.open(opening);
    const endWatch = store.watch(systemClock, fatal);
    try {
      return { catalog: await Catalog.start({ ...options, ledger, stopping }), endWatch };
    } catch (error) {
      endWatch();
      await ledger.close();
      throw error;
    }
  }, waiting);
  const server = await startServer(address, serveCatalog(catalog, self), { clock: systemClock, logger });
  listening(server);
  return async () => {
    await drain(server, catalog);
    endWatch();
    await catalog.stop();
    await unlock();
  };
}

/** Finishes the calls in flight, and ends the tails, which would stay open for ever. */
async function drain(server: RunningServer, catalog: Pick<Catalog, "endTails">): Promise<void> {
  const drained = server.stop(stopGraceMs);
  catalog.endTails();
  await drained;
}

/** A new ledger begins beside empty replicas only, wherever they are. */
async function untilAllAreEmpty(store: LedgerStore, context: ServiceContext): Promise<void> {
  const { name, config, logger, identity, stopping } = context;
  const self = speakerOf(name, logger, identity);
  const asked = replicasNamed(config).flatMap((replica) => {
    const address = config.replicas.get(replica.id);
    if (!address) return [];
    const client = connectReplica(address, config.rpcTimeoutMs, self);
    return {
      name: `replica ${replica.id} at ${addressText(address)}`,
      mustAnswer: !isKnownHere(replica, address),
      lastId: async () => (await client.readCopy(0, 0)).lastId,
      close: () => client.close(),
    };
  });
  try {
    await untilNoReplicaHasOrders({ name: store.name, replicas: asked, clock: systemClock, logger, stopping });
  } finally {
    for (const { close } of asked) close();
  }
}
