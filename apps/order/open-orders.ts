/** Opens a replica's file for its service: what it holds is on the disk, and its mark says that it is in use. */

import type { OrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { KeptMark } from "@stock-bazaar/order-log/sqlite/kept-mark";
import type { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { currentBootId } from "@stock-bazaar/process/boot-id";
import type { ServiceContext } from "@stock-bazaar/process/service";
import { untilCheckpointed } from "@stock-bazaar/process/until-checkpointed";
import { systemClock } from "@stock-bazaar/shared/clock";
import { checkpoint } from "@stock-bazaar/sqlite/checkpoint";
import { diskFull } from "@stock-bazaar/sqlite/connection";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { hasRoom } from "@stock-bazaar/sqlite/disk-room";

export interface OpenOrders {
  readonly database: OrderDatabase;
  readonly mark: KeptMark;
  /** Ends the watch over the file's name. */
  readonly endWatch: () => void;
}

/** Rejects with a DatabaseError that names the file; then nothing is open. */
export async function openOrders(
  file: ReplicaFile,
  { config, logger, stopping, fatal }: ServiceContext,
): Promise<OpenOrders> {
  const database = file.open("write", config.orderSynchronous);
  const endWatch = file.watch(systemClock, fatal);
  try {
    const tryOnce = async () => file.naming(() => checkpoint(database.client));
    await untilCheckpointed(tryOnce, { clock: systemClock, logger, stopping });
    const waitsForDisk = config.orderSynchronous === "FULL";
    const mark = file.naming(() => new KeptMark(database, { bootId: currentBootId(), waitsForDisk }));
    // Else the first orders would end the service, start after start: what the checkpoint has freed is soon used up.
    if (!(await hasRoom(file.file))) throw new DatabaseError("disk-full", file.file, diskFull);
    return { database, mark, endWatch };
  } catch (error) {
    endWatch();
    database.close();
    file.noteDamage(error);
    throw error;
  }
}
