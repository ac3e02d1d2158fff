/** An order log that records in the traces how long each append took. */

import type { Tracing } from "@stock-bazaar/process/traces";
import type { OrderLog } from "@stock-bazaar/order-log/order-log";

export function tracedLog(log: OrderLog, tracing: Tracing): OrderLog {
  return {
    get last() {
      return log.last;
    },
    get lastId() {
      return log.lastId;
    },
    append: (orders) => tracing.store(orders, () => log.append(orders)),
    after: (afterId, limit) => log.after(afterId, limit),
    get: (id) => log.get(id),
    newest: (before, limit) => log.newest(before, limit),
    close: () => log.close(),
  };
}
