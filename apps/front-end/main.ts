import { connectCatalogs } from "@stock-bazaar/transport/catalog-client";
import { speakerOf } from "@stock-bazaar/transport/handshake";
import { every, pause, systemClock } from "@stock-bazaar/shared/clock";
import { connectReplica } from "@stock-bazaar/transport/order-client";
import { dayMs, ExpiryWarning } from "@stock-bazaar/process/expiry-warning";
import { requireGuardedDoor } from "@stock-bazaar/process/door-settings";
import { runService } from "@stock-bazaar/process/service";
import { portSharedVariable, reportServing, successorVariable } from "@stock-bazaar/process/supervised";
import { loadHttps } from "@stock-bazaar/process/tls-files";
import { currentTracing } from "@stock-bazaar/process/tracing";
import { createApp, createEventFeed } from "./app.ts";
import { dialects } from "./dialects/index.ts";
import { connectFaults } from "./faults.ts";
import { addressBehind } from "./http/client-address.ts";
import { createMetrics } from "./http/metrics.ts";
import { rateLimitsOf } from "./http/rate-limit.ts";
import { tracedBazaar, tracedRoutes } from "./http/traced.ts";
import { listen } from "./listen.ts";
import { LiveBazaar } from "./live-bazaar.ts";
import { LiveTokens } from "./live-tokens.ts";
import { takeConnections } from "./take-connections.ts";
import { untilReady } from "./until-ready.ts";

await runService("front-end", async ({ name, config, logger, identity, stopping, onHangup }) => {
  requireGuardedDoor(config);
  const tokens = config.apiTokensFile === undefined ? undefined : new LiveTokens(config.apiTokensFile, logger);
  if (tokens) onHangup(() => tokens.reload());
  const https = config.https && loadHttps(config.https, Date.now());
  const self = speakerOf(name, logger, identity);
  const catalog = connectCatalogs(config.catalogs, config.rpcTimeoutMs, self);
  const replicas = new Map(
    [...config.replicas].map(([id, address]) => [id, connectReplica(address, config.rpcTimeoutMs, self)]),
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
  const metrics = createMetrics();
  const faults = connectFaults(process, config.frontEnd.host, systemClock);
  const events = createEventFeed({
    bazaar,
    metrics,
    faults,
    hidesDetails: tokens !== undefined,
    listenersMax: config.listenersMax,
  });
  const tracing = currentTracing();
  const app = createApp({
    bazaar: tracing ? tracedBazaar(bazaar, tracing) : bazaar,
    dialect: dialects[config.frontEndDialect],
    logger,
    metrics,
    events,
    faults,
    limits: rateLimitsOf(config.rateLimits),
    requestsMax: config.requestsMax,
    corsOrigins: config.corsOrigins,
    stopping,
    ...(tokens && { tokens: () => tokens.current }),
    ...(tracing && { wrapRoute: tracedRoutes(tracing) }),
  });
  const follows = process.env[successorVariable] === "1";
  if (follows) {
    bazaar.start();
    await untilReady(bazaar, systemClock, stopping);
  }
  const http = listen(app, config.listen.frontEnd, {
    logger,
    requestTimeoutMs: config.requestTimeoutMs,
    keepAliveTimeoutMs: config.keepAliveTimeoutMs,
    ...(config.trustedProxies.length > 0 && { addressBehind: addressBehind(config.trustedProxies) }),
    https,
    sharesPort: process.env[portSharedVariable] === "1",
    draining: stopping,
    descriptors: { clock: systemClock, logger },
  });
  if (follows && !takeConnections(http.port))
    logger.warn("connections that arrive as the former process ends may be reset");
  const warning = new ExpiryWarning("the certificate in FRONTEND_TLS_CERT", logger);
  const look = () => https && warning.look(systemClock.wallMs(), https.expiresMs);
  look();
  const endLooks = every(systemClock, dayMs, look);
  if (!follows) bazaar.start();
  events.start();
  logger.info({ url: http.url }, "listening");
  reportServing(process);

  return async () => {
    endLooks();
    await pause(systemClock, config.drainMs);
    // Event streams would stay open for ever. Their clients come back at once, and must not find this front-end again.
    events.stop();
    tokens?.close();
    await http.stop();
    await bazaar.stop();
    catalog.close();
    for (const replica of replicas.values()) replica.close();
  };
});
