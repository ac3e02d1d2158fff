/**
 * A whole bazaar in one thread: the production services, each in a simulated process, on a disk and behind a network that can
 * fail in every way that a real one can. Only the surroundings are simulated: time, randomness, and the network in place
 * of gRPC. HTTP is left out.
 */

import { createSqliteLedger } from "@stock-bazaar/ledger/sqlite/sqlite-ledger";
import { Catalog } from "@stock-bazaar/catalog/catalog";
import { StandbyCatalog } from "@stock-bazaar/catalog/standby";
import { openOrdersInMemory } from "../support/in-memory.ts";
import type { OrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { sqliteFailure } from "@stock-bazaar/sqlite/failures";
import type { StockLookup } from "@stock-bazaar/front-end/bazaar";
import { LiveBazaar } from "@stock-bazaar/front-end/live-bazaar";
import { isWhole } from "@stock-bazaar/order-log/replica-mark";
import { syncInBackground } from "@stock-bazaar/order-log/sqlite/background-sync";
import { KeptMark, readMark } from "@stock-bazaar/order-log/sqlite/kept-mark";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";
import { renewMark } from "@stock-bazaar/order/mark-renewal";
import { Replica } from "@stock-bazaar/order/replica";
import type { CatalogApi, OrderApi } from "@stock-bazaar/shared/api";
import { unpackOutcomes } from "@stock-bazaar/shared/batches";
import type { Trade } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { OrderSynchronous } from "@stock-bazaar/process/config";
import { ActiveCatalog } from "@stock-bazaar/transport/active-catalog";
import { type Logger, silentLogger } from "@stock-bazaar/process/log";
import type { Random } from "@stock-bazaar/shared/random";
import { CatalogStore, type InitialStock } from "./catalog-store.ts";
import { ledgerOnDisk, logOnDisk, ReplicaDisk } from "./disk.ts";
import { type Caller, Network, type Way } from "./network.ts";
import { Host, Life, type Pace } from "./process.ts";
import { Scheduler } from "./scheduler.ts";
import { SharedLedger, type SharedSettings } from "./shared-ledger.ts";

export interface Settings {
  readonly stocks: readonly InitialStock[];
  /** A stock that is seeded while everything runs. */
  readonly lateStock: InitialStock;
  /** Several catalogs on one ledger; `undefined` for one catalog with its own database. */
  readonly shared?: SharedSettings | undefined;
  readonly replicas: number;
  readonly minCopies: number;
  readonly orderSynchronous: OrderSynchronous;
  /** Each start of the catalog draws one of these. */
  readonly leasesMs: readonly number[];
  /** The cache size of each front-end; 0 for no cache. */
  readonly cacheSizes: readonly number[];
  readonly cacheTtlMs: number;
  /** 0 for no restocking. */
  readonly restockIntervalMs: number;
  readonly restockQuantity: number;
  /** The share by which a clock may run slow or fast. */
  readonly drift: number;
  /** Interval at which every wall clock is set to a random time; `undefined` if it never is. */
  readonly wallSetEveryMs: number | undefined;
  /** The longest delay of a timer beyond its due time, in every process. */
  readonly timerLateMs: number;
  /** How long the catalog stores a rejection. */
  readonly rejectionsKeptMs: number;
  readonly rpcTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** What runs in a front-end's process. */
export type FrontEnd = Pick<LiveBazaar, "start" | "stop" | "trade" | "lookup" | "stocks" | "order">;

/** A front-end as a client reaches it. */
export interface RemoteBazaar extends Pick<FrontEnd, "trade" | "stocks" | "order"> {
  lookup(name: string): Promise<StockLookup>;
}

/** What several worlds share. */
export interface Site {
  /** Begins the names of this world's own processes. */
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly frontEnds: readonly FrontEndHost[];
  readonly startFrontEnd: (host: FrontEndHost) => void;
}

/** Callbacks through which the checks observe the processes. */
export interface Witness {
  /** The ledger may have changed. */
  committed(): void;
  /** This leader acknowledges these orders. */
  acknowledged(leader: ReplicaHost, orderIds: readonly number[]): void;
  /** A process ended itself for another reason than a full disk. */
  ended(process: string, error: unknown): void;
  trace(line: string): void;
  /** Whether the trace is used. */
  readonly isTracing: boolean;
}

/** The right wall-clock time at the beginning. */
const startMs = Date.UTC(2026, 0, 1);
/** A process that ended itself is started again within this time. */
const restartWithinMs = 400;
/** A process that was asked to stop is killed after this time. */
const stopGraceMs = 2000;
/** A catalog that stops answers its pending calls within this time. */
const drainWithinMs = 50;

export interface ReplicaHost extends Host<OrderApi> {
  readonly id: number;
  readonly database: OrderDatabase;
  readonly disk: ReplicaDisk;
  /** The last order on its disk, 0 if there is none. */
  readonly lastId: () => number;
}

export interface FrontEndHost extends Host<FrontEnd> {
  /** 0 for no cache. */
  readonly cacheSize: number;
}

export class World {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly settings: Settings;
  readonly catalogStore: CatalogStore;
  readonly catalogs: readonly Host<CatalogApi>[];
  /** Defined if the catalogs share it. */
  readonly sharedLedger: SharedLedger | undefined;
  readonly replicas: readonly ReplicaHost[];
  readonly frontEnds: readonly FrontEndHost[];
  readonly #random: Random;
  readonly #witness: Witness;
  readonly #site: Site | undefined;
  /** Processes that were asked to stop and haven't ended. */
  readonly #stopping = new Set<Host<unknown>>();
  readonly #paces = new Map<string, Pace>();
  /** Stops each replica that runs, as its process does when it is asked to. */
  readonly #replicaStops = new Map<Host<unknown>, () => Promise<void>>();
  /** How often the machine of each process has lost its power. */
  readonly #powerCuts = new Map<Host<unknown>, number>();
  readonly #catalogServices = new Map<Host<unknown>, Pick<Catalog, "endTails" | "stop">>();
  #leasesMs: readonly number[];
  #ids = 0;

  /** Without a `site`, the world is alone in its time and network, and has front-ends of its own. */
  constructor(settings: Settings, random: Random, witness: Witness, site?: Site) {
    this.settings = settings;
    this.#leasesMs = settings.leasesMs;
    this.#random = random;
    this.#witness = witness;
    this.#site = site;
    this.scheduler = site?.scheduler ?? new Scheduler();
    this.network = site?.network ?? new Network(this.scheduler, random.fork());
    const named = (name: string) => `${site?.name ?? ""}${name}`;
    this.catalogStore = new CatalogStore(
      random.fork(),
      settings.stocks,
      () => startMs + Math.ceil(this.scheduler.nowMs),
    );
    const { shared } = settings;
    this.catalogs = shared
      ? Array.from({ length: shared.catalogs }, (_, index) => new Host<CatalogApi>(named(`catalog-${index + 1}`)))
      : [new Host<CatalogApi>(named("catalog"))];
    this.sharedLedger =
      shared &&
      new SharedLedger({
        name: named("database"),
        settings: shared,
        scheduler: this.scheduler,
        random: random.fork(),
        network: this.network,
        store: this.catalogStore,
        life: this.newLife(named("database")),
        committed: () => witness.committed(),
      });
    this.replicas = Array.from({ length: settings.replicas }, (_, index) => {
      const database = openOrdersInMemory(settings.orderSynchronous);
      const lastId = lastIdReader(database);
      const disk = new ReplicaDisk(random.fork(), database.client, lastId);
      return Object.assign(new Host<OrderApi>(named(`order-${index + 1}`)), {
        id: index + 1,
        database,
        disk,
        lastId,
      });
    });
    this.frontEnds = site?.frontEnds ?? newFrontEnds(settings);
  }

  /** The catalog, or the one that has the shared ledger by its register. */
  get catalog(): Host<CatalogApi> {
    const holder = this.sharedLedger?.holder;
    const found = this.catalogs.find(({ name }) => name === holder) ?? this.catalogs[0];
    if (!found) throw new Error("there must be a catalog (got none)");
    return found;
  }

  get hosts(): (Host<CatalogApi> | Host<OrderApi> | Host<FrontEnd>)[] {
    return [...this.catalogs, ...this.replicas, ...this.frontEnds];
  }

  /** An id that was never used before. */
  newId(): string {
    this.#ids += 1;
    return `id-${this.#ids}`;
  }

  /** The key of a new trade. */
  newKey(_stock: string): string {
    return this.newId();
  }

  /** Whether the key of this trade, once it is accepted, refuses another trade for ever. */
  remembersForEver(_trade: Pick<Trade, "key" | "name">): boolean {
    return true;
  }

  trace(line: string): void {
    if (this.#witness.isTracing) this.#witness.trace(line);
  }

  /** Starts every process that doesn't run. */
  startAll(): void {
    for (const host of this.hosts) this.start(host);
  }

  start(host: Host<CatalogApi> | Host<OrderApi> | Host<FrontEnd>): void {
    if (host.isUp) return;
    this.trace(`${host.name} starts`);
    const catalog = this.catalogs.find((other) => other === host);
    if (catalog)
      return this.sharedLedger ? this.#startStandby(catalog, this.sharedLedger) : this.#startCatalog(catalog);
    const replica = this.replicas.find((other) => other === host);
    if (replica) return this.#startReplica(replica);
    const frontEnd = this.frontEnds.find((other) => other === host);
    if (frontEnd) (this.#site?.startFrontEnd ?? this.#startFrontEnd.bind(this))(frontEnd);
  }

  kill(host: Host<unknown>): void {
    if (!host.isUp) return;
    this.trace(`${host.name} is killed`);
    this.#stopping.delete(host);
    host.kill();
  }

  /** Stops a process as SIGTERM does: it finishes its pending work and ends. */
  stop(host: Host<unknown>): void {
    const { life, service } = host;
    if (!life || !service || life.isPaused) return this.kill(host);
    this.trace(`${host.name} is asked to stop`);
    this.#stopping.add(host);
    const ended = () => {
      if (host.life === life) this.kill(host);
    };
    this.scheduler.after(stopGraceMs, ended);
    // It accepts no more work. Its pending work may still fail.
    void this.#finish(host, life).then(ended, ended);
  }

  async #finish(host: Host<unknown>, life: Life): Promise<void> {
    const frontEnd = this.frontEnds.find((other) => other === host);
    if (frontEnd) {
      const { service } = frontEnd;
      frontEnd.service = undefined;
      await service?.stop();
    } else if (this.#catalogServices.has(host)) {
      host.service = undefined;
      const catalog = this.#catalogServices.get(host);
      catalog?.endTails();
      await new Promise<void>((resolve) => void life.clock.after(this.#random.between(0, drainWithinMs), resolve));
      await catalog?.stop();
    } else {
      await this.#replicaStops.get(host)?.();
    }
  }

  /** Changes the catalog's configuration from its next start on. */
  drawLeasesFrom(leasesMs: readonly number[]): void {
    this.#leasesMs = leasesMs;
  }

  /** Kills the replica and deletes its orders. */
  wipe(replica: ReplicaHost): void {
    this.kill(replica);
    this.trace(`${replica.name} loses its database`);
    replica.disk.wipe();
  }

  /** Cuts the power of a process's machine: what no sync has written to its disk is lost. */
  cutPower(host: Host<unknown>): void {
    this.kill(host);
    this.#powerCuts.set(host, (this.#powerCuts.get(host) ?? 0) + 1);
    const replica = this.replicas.find((other) => other === host);
    if (replica) {
      this.trace(`the machine of ${host.name} loses its power, and ${replica.disk.cutPower()} orders`);
    } else if (host === this.catalog) {
      const { afterPowerCut } = this.catalogStore.disk;
      this.trace(`the catalog's machine loses its power${afterPowerCut ? ", and its log has a hole" : ""}`);
      if (afterPowerCut) this.catalogStore.replace(afterPowerCut);
    }
  }

  /** The replicas whose files may lack orders that they have acknowledged, by the rule that decides about a rebuild. */
  get replicasNotWhole(): readonly ReplicaHost[] {
    return this.replicas.filter((host) => !isWhole(readMark(host.database.client), this.#bootId(host)));
  }

  #bootId(host: Host<unknown>): string {
    return `boot-${this.#powerCuts.get(host) ?? 0}`;
  }

  /** Repairs and starts everything, except the ways in `stayCut`. */
  heal(stayCut: readonly Way[] = []): void {
    this.trace("everything heals");
    this.network.healAll(stayCut);
    for (const disk of [this.catalogStore.disk, ...this.replicas.map(({ disk }) => disk)]) {
      disk.slowMs = 0;
      disk.failsNextSync = false;
      disk.makeRoom();
    }
    this.sharedLedger?.server.heal();
    for (const { life } of this.hosts) life?.resume();
    for (const host of this.#stopping) this.kill(host);
    this.startAll();
  }

  close(): void {
    for (const host of this.hosts) host.kill();
    this.catalogStore.database.close();
    for (const { database } of this.replicas) database.close();
  }

  /** A client's connection to a front-end. */
  frontEndFor(caller: Caller, host: Host<FrontEnd>): RemoteBazaar {
    return {
      trade: (trade, minted) => this.network.call(caller, host, (bazaar) => bazaar.trade(trade, minted)),
      lookup: (name) => this.network.call(caller, host, async (bazaar) => bazaar.lookup(name)),
      stocks: (request) => this.network.call(caller, host, (bazaar) => bazaar.stocks(request)),
      order: (id) => this.network.call(caller, host, (bazaar) => bazaar.order(id)),
    };
  }

  /** The part of a front-end's process that uses this world's catalog and replicas. */
  bazaarIn({ name, cacheSize }: FrontEndHost, life: Life): LiveBazaar {
    const { rpcTimeoutMs, cacheTtlMs, requestTimeoutMs } = this.settings;
    const caller: Caller = { name, life, timeoutMs: rpcTimeoutMs };
    return new LiveBazaar({
      catalog: this.#catalogFor(caller),
      replicas: new Map(this.replicas.map((replica) => [replica.id, this.#replicaFor(caller, replica)])),
      config: {
        frontEnd: { host: name, port: 8080 },
        frontEndDialect: "bazaar",
        cacheSize,
        cacheTtlMs,
        requestTimeoutMs,
      },
      clock: life.clock,
      random: () => this.#random.next(),
      newId: () => this.newId(),
      logger: this.#logger(name, life),
    });
  }

  /** Begins a life of the named process. Its clock keeps its rate through every restart. */
  newLife(name: string): Life {
    const { drift, wallSetEveryMs, timerLateMs } = this.settings;
    let pace = this.#paces.get(name);
    if (!pace) {
      const wallMs = startMs + this.#random.between(-60_000, 60_000);
      pace = { rate: this.#random.pick([1 - drift, 1, 1 + drift]), wallMs, wallSetEveryMs, timerLateMs };
      this.#paces.set(name, pace);
    }
    return new Life(this.scheduler, this.#random.fork(), pace);
  }

  #startStandby(host: Host<CatalogApi>, ledger: SharedLedger): void {
    const { name } = host;
    const life = this.newLife(name);
    host.life = life;
    const { settings } = this;
    const broken = (error: unknown) => this.#giveUp(host, life, error);
    const service = new StandbyCatalog({
      takeOver: ledger.takesOver({ name, life, timeoutMs: settings.rpcTimeoutMs }, broken),
      clock: life.clock,
      logger: this.#logger(name, life),
      leaseMs: this.#random.pick(this.#leasesMs),
      rejectionsKeptMs: settings.rejectionsKeptMs,
      changed: () => {},
      fatal: broken,
    });
    host.service = service;
    this.#catalogServices.set(host, service);
    service.start();
  }

  #startCatalog(catalog: Host<CatalogApi>): void {
    const life = this.newLife(catalog.name);
    catalog.life = life;
    const broken = (error: unknown) => this.#giveUp(catalog, life, error);
    const { database, disk } = this.catalogStore;
    const ledger = ledgerOnDisk(createSqliteLedger(database, broken), disk, life, {
      committed: () => this.#witness.committed(),
      broken: () => {
        this.trace("catalog ends itself: a sync failed");
        catalog.kill();
        this.#startLater(catalog);
      },
    });
    const leaseMs = this.#random.pick(this.#leasesMs);
    const { rejectionsKeptMs } = this.settings;
    const logger = this.#logger(catalog.name, life);
    void Catalog.start({ ledger, clock: life.clock, logger, leaseMs, rejectionsKeptMs }).then((service) => {
      if (catalog.life !== life) return;
      catalog.service = service;
      this.#catalogServices.set(catalog, service);
    }, broken);
  }

  #startReplica(host: ReplicaHost): void {
    const life = this.newLife(host.name);
    const { settings } = this;
    const caller: Caller = { name: host.name, life, timeoutMs: settings.rpcTimeoutMs };
    const broken = (error: unknown) => this.#giveUp(host, life, error);
    // As the checkpoint does, for which a replica waits when it starts.
    host.disk.mend();
    const waitsForDisk = settings.orderSynchronous === "FULL";
    const mark = new KeptMark(host.database, { bootId: this.#bootId(host), waitsForDisk });
    const log = logOnDisk(createSqliteOrderLog(host.database, broken), host.disk, life);
    const sync = () => host.disk.sync(life);
    const endSyncs = waitsForDisk
      ? async () => {}
      : syncInBackground({ clock: life.clock, lastId: () => log.lastId, sync, failed: broken });
    const catalog = this.#catalogFor(caller);
    const logger = this.#logger(host.name, life);
    const replica = new Replica({
      replicaId: host.id,
      catalog,
      log,
      clock: life.clock,
      random: () => this.#random.next(),
      logger,
      minCopies: settings.minCopies,
      rpcTimeoutMs: settings.rpcTimeoutMs,
      restockIntervalMs: settings.restockIntervalMs,
      restockQuantity: settings.restockQuantity,
      peer: (id) => {
        const peer = this.replicas.find((other) => other.id === id);
        return peer ? this.#replicaFor(caller, peer) : undefined;
      },
      fatal: broken,
    });
    this.#replicaStops.set(host, async () => {
      await replica.stop();
      endRenewal();
      await endSyncs();
      if (life.isAlive) mark.ended();
    });
    host.life = life;
    host.service = {
      trade: async (request) => {
        const traded = await replica.trade(request);
        const accepted = unpackOutcomes(traded.outcomes).flatMap((outcome) =>
          outcome.status === "accepted" ? [outcome.orderId] : [],
        );
        if (life.isAlive) this.#witness.acknowledged(host, accepted);
        return traded;
      },
      order: (id) => replica.order(id),
      orders: (request) => replica.orders(request),
      lead: (afterTerm) => replica.lead(afterTerm),
      setLeader: (leadership) => replica.setLeader(leadership),
      follow: (handlers) => replica.follow(handlers),
      watch: (handlers) => replica.watch(handlers),
    };
    replica.start();
    const endRenewal = renewMark({ mark, catalog, log, clock: life.clock, logger, fatal: broken });
  }

  #startFrontEnd(host: FrontEndHost): void {
    host.life = this.newLife(host.name);
    host.service = this.bazaarIn(host, host.life);
    host.service.start();
  }

  /** Ends a process that can't trust its disk, and starts it again later. */
  #giveUp(host: Host<CatalogApi> | Host<OrderApi>, life: Life, error: unknown): void {
    if (!life.isAlive) return;
    this.trace(`${host.name} ends itself: ${String(error)}`);
    const reason = error instanceof BazaarError ? error.cause : error;
    if (sqliteFailure(reason) !== "passing") this.#witness.ended(host.name, error);
    host.kill();
    this.#startLater(host);
  }

  #startLater(host: Host<CatalogApi> | Host<OrderApi>): void {
    this.scheduler.after(this.#random.between(0, restartWithinMs), () => this.start(host));
  }

  #catalogFor(caller: Caller): CatalogApi {
    if (!this.sharedLedger) return this.#oneCatalogFor(caller, this.catalog);
    const catalogs = this.catalogs.map((host) => ({ address: host.name, catalog: this.#oneCatalogFor(caller, host) }));
    return new ActiveCatalog({ catalogs, clock: caller.life.clock, timeoutMs: caller.timeoutMs });
  }

  #oneCatalogFor(caller: Caller, catalog: Host<CatalogApi>): CatalogApi {
    const { network } = this;
    return {
      apply: (request) => network.call(caller, catalog, (service) => service.apply(request)),
      restock: (request) => network.call(caller, catalog, (service) => service.restock(request)),
      settle: (upTo) => network.call(caller, catalog, (service) => service.settle(upTo)),
      lookup: (names, seen) => network.call(caller, catalog, (service) => service.lookup(names, seen)),
      stocks: (request, seen) => network.call(caller, catalog, (service) => service.stocks(request, seen)),
      ordersAfter: (afterId, limit) => network.call(caller, catalog, (service) => service.ordersAfter(afterId, limit)),
      register: (seen, last) => network.call(caller, catalog, (service) => service.register(seen, last)),
      acquire: (request) => network.call(caller, catalog, (service) => service.acquire(request)),
      tail: (handlers) => network.open(caller, catalog, (service, far) => service.tail(far), handlers),
    };
  }

  #replicaFor(caller: Caller, host: ReplicaHost): OrderApi {
    const { network } = this;
    return {
      trade: (request, signal) => network.call(caller, host, (replica) => replica.trade(request), signal),
      order: (id, signal) => network.call(caller, host, (replica) => replica.order(id), signal),
      orders: (request, signal) => network.call(caller, host, (replica) => replica.orders(request), signal),
      lead: (afterTerm, signal) => network.call(caller, host, (replica) => replica.lead(afterTerm), signal),
      setLeader: (leadership) => network.call(caller, host, (replica) => replica.setLeader(leadership)),
      follow: (handlers) => network.open(caller, host, (replica, far) => replica.follow(far), handlers),
      watch: (handlers) => network.open(caller, host, (replica, far) => replica.watch(far), handlers),
    };
  }

  #logger(name: string, life: Life): Logger {
    if (!this.#witness.isTracing) return silentLogger;
    const write = (fields: unknown, message?: string) => {
      if (life.isAlive)
        this.trace(typeof fields === "string" ? `${name}: ${fields}` : `${name}: ${message} ${JSON.stringify(fields)}`);
    };
    return {
      ...silentLogger,
      debug: write,
      info: write,
      warn: write,
      error: write,
      fatal: write,
      isLevelEnabled: () => true,
    } as Logger;
  }
}

export function newFrontEnds({ cacheSizes }: Pick<Settings, "cacheSizes">): readonly FrontEndHost[] {
  return cacheSizes.map((cacheSize, index) =>
    Object.assign(new Host<FrontEnd>(`front-end-${index + 1}`), { cacheSize }),
  );
}

function lastIdReader({ client }: OrderDatabase): () => number {
  const lastId = client.prepare<[], { id: number }>("SELECT IFNULL(MAX(id), 0) AS id FROM orders");
  return () => lastId.get()?.id ?? 0;
}
