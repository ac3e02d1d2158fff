/** Stands in for a catalog that can't start yet, so that callers and people learn the reason. Nothing is done. */

import type { CatalogApi } from "@stock-bazaar/shared/api";
import { BazaarError } from "@stock-bazaar/shared/errors";

/** Answers every call with STORAGE_UNAVAILABLE and this reason. */
export function waitingCatalog(reason: string): CatalogApi {
  const error = new BazaarError("STORAGE_UNAVAILABLE", reason);
  const refuse = () => Promise.reject(error);
  return {
    apply: refuse,
    restock: refuse,
    settle: refuse,
    lookup: refuse,
    stocks: refuse,
    ordersAfter: refuse,
    register: refuse,
    acquire: refuse,
    tail(handlers) {
      handlers.ended(error);
      return { send() {}, close() {} };
    },
  };
}
