import { requireDifferentFiles } from "@stock-bazaar/db/recovery/replicas-here";
import type { OrderLog } from "@stock-bazaar/order-log/order-log";
import type { OrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { refusing } from "@stock-bazaar/sqlite/database-error";
import { openLogSync } from "@stock-bazaar/sqlite/log-sync";
import { untilRoom } from "@stock-bazaar/sqlite/until-room";
import { connectCatalogs } from "@stock-bazaar/transport/catalog-client";
import { speakerOf } from "@stock-bazaar/transport/handshake";
import { systemClock } from "@stock-bazaar/shared/clock";
import { readReplicaId } from "@stock-bazaar/process/config";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { connectReplica } from "@stock-bazaar/transport/order-client";
import { startServer } from "@stock-bazaar/transport/server";
import { runService, type ServiceContext } from "@stock-bazaar/process/service";
import { currentTracing } from "@stock-bazaar/process/tracing";
import { serveReplica } from "@stock-bazaar/transport/order-service";
import { syncInBackground } from "@stock-bazaar/order-log/sqlite/background-sync";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";
import { renewMark } from "./mark-renewal.ts";
import { openOrders } from "./open-orders.ts";
import { replaceIfDamaged } from "./replace-if-damaged.ts";
import { Replica } from "./replica.ts";
import { tracedLog } from "./traced-log.ts";

/** How long calls in flight may take to finish once the service stops. */
const stopGraceMs = 2000;

await runService(
  (config) => `order-${readReplicaId(process.env, config)}`,
  // A damaged file is replaced at the next start.
  refusing(["wrong-kind", "too-new"], async (context: ServiceContext) => {
    const { name, config, logger, identity, stopping, fatal } = context;
    const replicaId = readReplicaId(process.env, config);
    const address = config.listen.replicas.get(replicaId);
    if (!address) throw new BazaarError("INTERNAL_ERROR", `replica ${replicaId} has no address`);
    requireDifferentFiles(config);
    const waiting = { clock: systemClock, logger, stopping };
    const self = speakerOf(name, logger, identity);
    const catalog = connectCatalogs(config.catalogs, config.rpcTimeoutMs, self);
    const file = new ReplicaFile(config.dataDir, replicaId);
    // Before the file is opened: from here on, no other process may create a file of this name.
    const unlock = await untilRoom(async () => file.lock(), waiting);
    await untilRoom(() => replaceIfDamaged({ ...waiting, file, catalog, patienceMs: config.rpcTimeoutMs }), waiting);
    const { database, mark, endWatch } = await untilRoom(() => openOrders(file, context), waiting);
    const ownLog = createSqliteOrderLog(database, (error) => {
      file.noteDamage(error);
      fatal(error);
    });
    const waitsForDisk = config.orderSynchronous === "FULL";
    const endSyncs = waitsForDisk ? async () => {} : syncLog(database, ownLog, fatal);
    const tracing = currentTracing();
    const log = tracing ? tracedLog(ownLog, tracing) : ownLog;
    const peers = new Map(
      [...config.replicas].flatMap(([id, peer]) =>
        id === replicaId ? [] : [[id, connectReplica(peer, config.rpcTimeoutMs, self)] as const],
      ),
    );

    const replica = new Replica({
      replicaId,
      catalog,
      log,
      clock: systemClock,
      random: Math.random,
      logger,
      minCopies: config.orderMinCopies,
      rpcTimeoutMs: config.rpcTimeoutMs,
      restockIntervalMs: config.restockIntervalMs,
      restockQuantity: config.restockQuantity,
      peer: (id) => peers.get(id),
      isWhole: () => mark.isWhole,
      fatal,
    });
    const server = await startServer(address, serveReplica(replica, self), { clock: systemClock, logger });
    replica.start();
    const endRenewal = renewMark({ mark, catalog, log, clock: systemClock, logger, fatal });
    logger.info({ host: address.host, port: server.port }, "listening");

    return async () => {
      await replica.stop();
      await server.stop(stopGraceMs);
      endRenewal();
      await endSyncs();
      file.naming(() => mark.ended());
      endWatch();
      await log.close();
      unlock();
      catalog.close();
      for (const peer of peers.values()) peer.close();
    };
  }),
);

/** Syncs the log in the background. Returns a function that ends it. */
function syncLog(database: OrderDatabase, log: OrderLog, failed: (error: unknown) => void): () => Promise<void> {
  const onDisk = openLogSync(database.client.name);
  const end = syncInBackground({ clock: systemClock, lastId: () => log.lastId, sync: () => onDisk.sync(), failed });
  return async () => {
    await end();
    onDisk.close();
  };
}
