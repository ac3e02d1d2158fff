/** Asks the services of a bazaar on their own ports what they are: no front-end and no token is needed. */

import type { Config } from "@stock-bazaar/process/config";
import { LiveIdentity } from "@stock-bazaar/process/live-identity";
import { silentLogger } from "@stock-bazaar/process/log";
import type { CatalogState, OrderApi, ReplicaStatus } from "@stock-bazaar/shared/api";
import { systemClock, withDeadline } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { connectCatalog } from "@stock-bazaar/transport/catalog-client";
import { speakerOf } from "@stock-bazaar/transport/handshake";
import { connectReplica } from "@stock-bazaar/transport/order-client";
import type { BazaarState } from "./rolling-restart.ts";

/** How long one look waits for a service. */
const answerMs = 500;

export interface ServiceQuestions {
  look(): Promise<BazaarState>;
  close(): void;
}

export function askServices({ catalogs, replicas, rpcTimeoutMs, tls }: Config): ServiceQuestions {
  const identity = tls && new LiveIdentity(tls, { clock: systemClock, logger: silentLogger });
  const self = speakerOf("rolling-restart", silentLogger, identity);
  const catalogClients = catalogs.map((address) => connectCatalog(address, rpcTimeoutMs, self));
  const replicaClients = [...replicas].map(
    ([id, address]) => [id, connectReplica(address, rpcTimeoutMs, self)] as const,
  );
  return {
    async look() {
      const [asked, statuses] = await Promise.all([
        Promise.all(
          catalogClients.map(async (catalog): Promise<{ state: CatalogState["state"]; head?: number }> => {
            try {
              const { head } = await withDeadline(systemClock, answerMs, catalog.register(), noAnswer);
              return { state: "active", head };
            } catch (error) {
              return { state: BazaarError.from(error).code === "NOT_ACTIVE" ? "standby" : "away" };
            }
          }),
        ),
        Promise.all(replicaClients.map(async ([id, replica]) => [id, await statusOf(replica)] as const)),
      ]);
      return {
        head: asked.find(({ state }) => state === "active")?.head,
        catalogs: asked.map(({ state }) => state),
        replicas: new Map(statuses.flatMap(([id, status]) => (status ? [[id, status] as const] : []))),
      };
    },
    close() {
      for (const client of catalogClients) client.close();
      for (const [, client] of replicaClients) client.close();
      identity?.end();
    },
  };
}

/** The replica's status of now; `undefined` if it doesn't answer. */
function statusOf(replica: Pick<OrderApi, "watch">): Promise<ReplicaStatus | undefined> {
  return new Promise((resolve) => {
    const done = (status?: ReplicaStatus) => {
      cancel();
      stream?.close();
      resolve(status);
    };
    const cancel = systemClock.after(answerMs, () => done());
    const stream = replica.watch({ message: done, ended: () => done() });
  });
}

function noAnswer(): BazaarError {
  return new BazaarError("UNAVAILABLE", "no answer in time");
}
