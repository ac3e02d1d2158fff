import { connectCatalog } from "@stock-bazaar/shared/catalog-client";
import { systemClock } from "@stock-bazaar/shared/clock";
import { connectOrders } from "@stock-bazaar/shared/order-client";
import { runService } from "@stock-bazaar/shared/service";
import { currentTracing } from "@stock-bazaar/shared/tracing";
import { createApp } from "./app.ts";
import { tracedBazaar, tracedRoutes } from "./http/traced.ts";
import { listen } from "./listen.ts";
import { LiveBazaar } from "./live-bazaar.ts";

await runService("front-end", async ({ config, logger }) => {
  const catalog = connectCatalog(config.catalog, config.rpcTimeoutMs);
  const replicas = new Map(
    [...config.replicas].map(([id, address]) => [id, connectOrders(address, config.rpcTimeoutMs)]),
  );
  const bazaar = new LiveBazaar({
    catalog,
    replicas,
    config,
    clock: systemClock,
    random: Math.random,
    newId: () => Bun.randomUUIDv7(),
    logger,
  });
  const tracing = currentTracing();
  const app = tracing
    ? createApp({ bazaar: tracedBazaar(bazaar, tracing), logger, wrapRoute: tracedRoutes(tracing) })
    : createApp({ bazaar, logger });
  const http = listen(app, config.frontEnd, {
    logger,
    requestTimeoutMs: config.requestTimeoutMs,
  });
  bazaar.start();
  logger.info({ url: http.url }, "listening");

  return async () => {
    await http.stop();
    await bazaar.stop();
    catalog.close();
    for (const replica of replicas.values()) replica.close();
  };
});
