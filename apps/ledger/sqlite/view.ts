/**
 * A snapshot of a catalog's database, for tools and for services during their start. It uses its own read-only
 * connection, so its transaction can stay open between calls.
 */

import { explaining } from "@stock-bazaar/sqlite/connection";
import { lastOrderId } from "@stock-bazaar/sqlite/order-differences";
import type { KeptRejection, LedgerView } from "../store.ts";
import { type CatalogDatabase, openCatalogDatabase } from "./database.ts";
import { lastRejection, leasesOf, prepareReads, requireRegister } from "./reads.ts";

export async function readCatalog<Result>(
  dataDir: string,
  look: (view: LedgerView) => Promise<Result>,
): Promise<Result> {
  const catalog = openCatalogDatabase(dataDir, "read");
  try {
    return await look(viewOf(catalog));
  } finally {
    catalog.close();
  }
}

function viewOf(catalog: CatalogDatabase): LedgerView {
  const { client, kind } = catalog;
  /** Every read can fail: a damaged page is found only when it is read. */
  const read = async <Result>(action: () => Result) => explaining(client.name, kind, action);
  const { register, leases, stocksFrom, stocksAfter, orderById, ordersAfter } = explaining(client.name, kind, () => {
    client.exec("BEGIN");
    // The first read of a transaction takes its snapshot.
    client.prepare("SELECT 1 FROM register").get();
    return prepareReads(client);
  });
  const rejectedKey = client.prepare<[string, string], { key: string }>(
    "SELECT key FROM rejections WHERE key >= ? AND key < ? ORDER BY key LIMIT 1",
  );
  const rejectionsAfter = client.prepare<[number, number], KeptRejection>(
    `SELECT rowid AS place, key, fingerprint, reason, created_at AS createdAt FROM rejections WHERE rowid > ?
     ORDER BY rowid LIMIT ?`,
  );
  const newestRejection = client.prepare<[], { place: number }>(lastRejection);
  return {
    register: () => read(() => requireRegister(register.get())),
    leases: () => read(() => leasesOf(leases.get())),
    stocksFrom: ({ start, inclusive, limit }) => read(() => (inclusive ? stocksFrom : stocksAfter).all(start, limit)),
    ordersAfter: (afterId, limit) => read(() => ordersAfter.all(afterId, limit)),
    lastId: () => read(() => lastOrderId(client, "ledger")),
    order: (id) => read(() => orderById.get(id)),
    firstRejectedKey: (from, before) => read(() => rejectedKey.get(from, before)?.key),
    rejectionsAfter: (after, limit) => read(() => rejectionsAfter.all(after, limit)),
    lastRejection: () => read(() => newestRejection.get()?.place ?? 0),
    async countStocks() {
      const { countStocks } = await import("./stocks.ts");
      return read(() => countStocks(catalog));
    },
    async initialStocks() {
      const { initialStocks } = await import("./stocks.ts");
      return read(() => initialStocks(catalog));
    },
  };
}
