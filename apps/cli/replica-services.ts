/** Connects a command with the services of all replicas in ORDER_REPLICAS. */

import type { ReplicaService } from "@stock-bazaar/db/recovery/replica-services";
import { addressText } from "@stock-bazaar/process/addresses";
import type { Config } from "@stock-bazaar/process/config";
import { LiveIdentity } from "@stock-bazaar/process/live-identity";
import { silentLogger } from "@stock-bazaar/process/log";
import { systemClock } from "@stock-bazaar/shared/clock";
import { speakerOf } from "@stock-bazaar/transport/handshake";
import { connectReplica } from "@stock-bazaar/transport/order-client";

/** `name`: the command's name in the services' logs. */
export async function withReplicaServices<Result>(
  { replicas, rpcTimeoutMs, tls }: Config,
  name: string,
  action: (services: readonly ReplicaService[]) => Promise<Result>,
): Promise<Result> {
  const identity = tls && new LiveIdentity(tls, { clock: systemClock, logger: silentLogger });
  const self = speakerOf(name, silentLogger, identity);
  const clients = Array.from(replicas, ([id, address]) => ({
    name: `replica ${id} at ${addressText(address)}`,
    client: connectReplica(address, rpcTimeoutMs, self),
  }));
  try {
    return await action(
      clients.map(({ name: replica, client }) => ({
        name: replica,
        readCopy: (after, limit) => client.readCopy(after, limit),
      })),
    );
  } finally {
    for (const { client } of clients) client.close();
    identity?.end();
  }
}
