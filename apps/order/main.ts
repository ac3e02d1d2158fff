import { checkpoint } from "@stock-bazaar/sqlite/checkpoint";
import { requireDifferentFiles } from "@stock-bazaar/db/recovery/replicas-here";
import type { OrderLog } from "@stock-bazaar/order-log/order-log";
import type { OrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { guardDatabase } from "@stock-bazaar/sqlite/guards";
import { openLogSync } from "@stock-bazaar/sqlite/log-sync";
import { connectCatalogs } from "@stock-bazaar/transport/catalog-client";
import { speakerOf } from "@stock-bazaar/transport/handshake";
import { systemClock } from "@stock-bazaar/shared/clock";
import { currentBootId } from "@stock-bazaar/process/boot-id";
import { readReplicaId } from "@stock-bazaar/process/config";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { connectReplica } from "@stock-bazaar/transport/order-client";
import { startServer } from "@stock-bazaar/transport/server";
import { runService } from "@stock-bazaar/process/service";
import { currentTracing } from "@stock-bazaar/process/tracing";
import { untilCheckpointed } from "@stock-bazaar/process/until-checkpointed";
import { serveReplica } from "@stock-bazaar/transport/order-service";
import { syncInBackground } from "@stock-bazaar/order-log/sqlite/background-sync";
import { KeptMark } from "@stock-bazaar/order-log/sqlite/kept-mark";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";
import { renewMark } from "./mark-renewal.ts";
import { Replica } from "./replica.ts";
import { tracedLog } from "./traced-log.ts";

/** How long calls in flight may take to finish once the service stops. */
const stopGraceMs = 2000;

await runService(
  (config) => `order-${readReplicaId(process.env, config)}`,
  async ({ name, config, logger, identity, stopping, fatal }) => {
    const replicaId = readReplicaId(process.env, config);
    const address = config.listen.replicas.get(replicaId);
    if (!address) throw new BazaarError("INTERNAL_ERROR", `replica ${replicaId} has no address`);
    requireDifferentFiles(config);
    // Before the file is opened: from here on, no other process may create a file of this name.
    const file = new ReplicaFile(config.dataDir, replicaId);
    const unlock = file.lock();
    const database = file.open("write", config.orderSynchronous);
    const endWatch = file.watch(systemClock, fatal);
    const guard = guardDatabase(database, fatal);
    await untilCheckpointed(async () => guard(() => checkpoint(database.client)), {
      clock: systemClock,
      logger,
      stopping,
    });
    const waitsForDisk = config.orderSynchronous === "FULL";
    const mark = guard(() => new KeptMark(database, { bootId: currentBootId(), waitsForDisk }));
    const ownLog = createSqliteOrderLog(database, fatal);
    const endSyncs = waitsForDisk ? async () => {} : syncLog(database, ownLog, fatal);
    const tracing = currentTracing();
    const log = tracing ? tracedLog(ownLog, tracing) : ownLog;
    const self = speakerOf(name, logger, identity);
    const catalog = connectCatalogs(config.catalogs, config.rpcTimeoutMs, self);
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
    const server = await startServer(address, serveReplica(replica, self));
    replica.start();
    const endRenewal = renewMark({ mark, catalog, log, clock: systemClock, logger, fatal });
    logger.info({ host: address.host, port: server.port }, "listening");

    return async () => {
      await replica.stop();
      await server.stop(stopGraceMs);
      endRenewal();
      await endSyncs();
      guard(() => mark.ended());
      endWatch();
      await log.close();
      unlock();
      catalog.close();
      for (const peer of peers.values()) peer.close();
    };
  },
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
