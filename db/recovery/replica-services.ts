/**
 * The replicas as their running services tell of them, on whatever machine they are: for tools on a machine that hasn't the
 * replicas' files. A service answers in every role, and without a catalog.
 */

import type { OrderSource } from "@stock-bazaar/ledger/compare";
import type { CopyApi, CopyPage } from "@stock-bazaar/shared/api";
import { BazaarError, SetupError } from "@stock-bazaar/shared/errors";

export interface ReplicaService extends CopyApi {
  /** Its name in messages, like `replica 2 at order-2:6001`. */
  readonly name: string;
}

/** A service doesn't answer, or its answer can't be read. */
export class ReplicaServiceError extends SetupError {
  /** The name of the replica. */
  readonly service: string;

  constructor(service: string, cause: unknown) {
    super(`${service} can't be read: ${BazaarError.from(cause).message}`, { cause });
    this.service = service;
    this.name = "ReplicaServiceError";
  }
}

/** A replica at the moment when its service was asked. What it holds up to `lastId` never changes. */
export interface ServedReplica extends OrderSource, Pick<CopyPage, "lastId" | "isWhole"> {}

/** Asks each service where its replica ends. The result has the services that don't answer as errors, in the same order. */
export function askServices(services: readonly ReplicaService[]): Promise<(ServedReplica | ReplicaServiceError)[]> {
  return Promise.all(
    services.map(async (service) => {
      try {
        return await askService(service);
      } catch (error) {
        if (error instanceof ReplicaServiceError) return error;
        throw error;
      }
    }),
  );
}

/** Rejects with a ReplicaServiceError if it doesn't answer. */
export async function askService(service: ReplicaService): Promise<ServedReplica> {
  const { name } = service;
  const { lastId, isWhole } = await read(service, 0, 0);
  const ordersAfter = async (after: number, limit: number) => [...(await read(service, after, limit)).orders];
  return { name, lastId, isWhole, ordersAfter };
}

async function read(service: ReplicaService, after: number, limit: number): Promise<CopyPage> {
  try {
    return await service.readCopy(after, limit);
  } catch (error) {
    throw new ReplicaServiceError(service.name, error);
  }
}
