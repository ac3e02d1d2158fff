/** A world whose databases are checked while it runs and after it (I1–I5, I9), and so are the answers to its clients (I4, I6). */

import type { Random } from "@stock-bazaar/shared/random";
import {
  CopiesWatch,
  differences,
  LedgerWatch,
  readLedger,
  readOrders,
  type Rebuild,
  rebuiltDifferently,
} from "./checker.ts";
import { DatabaseFaults } from "./database-faults.ts";
import { brokenOutcomes, type Circumstances, type History, staleAnswers } from "./history.ts";
import type { Way } from "./network.ts";
import { type FrontEndHost, type Settings, type Site, World } from "./world.ts";

export interface WatchedWorldOptions {
  readonly settings: Settings;
  readonly random: Random;
  /** Receives violations. */
  readonly found: (violations: readonly string[]) => void;
  /** Receives the trace; `undefined` for none. */
  readonly trace: ((line: string) => void) | undefined;
  readonly site?: Site;
}

export class WatchedWorld {
  readonly world: World;
  readonly databases: DatabaseFaults;
  readonly #ledgerWatch: LedgerWatch;
  readonly #options: WatchedWorldOptions;

  constructor(options: WatchedWorldOptions) {
    const { settings, random, found, trace, site } = options;
    this.#options = options;
    let acknowledgedId = 0;
    const acknowledged = (
      leader: { readonly name: string; readonly lastId: () => number },
      orderIds: readonly number[],
    ) => {
      copiesWatch.look();
      for (const id of orderIds) {
        acknowledgedId = Math.max(acknowledgedId, id);
        if (id > this.#ledgerWatch.orders.length) found([`I5: order ${id} was acknowledged and isn't in the ledger`]);
        if (id > catalogStore.syncedHead) found([`I5: order ${id} was acknowledged, but the ledger hasn't synced it`]);
        found(copiesWatch.tooFew(id, settings.minCopies, leader));
      }
    };
    this.world = new World(
      settings,
      random,
      {
        committed: () => found(this.#ledgerWatch.look()),
        acknowledged,
        ended: (process, error) => found([`I8: ${process} ended itself: ${String(error)}`]),
        trace: (line) => trace?.(`${scheduler.nowMs.toFixed(2).padStart(9)}  ${line}`),
        isTracing: trace !== undefined,
      },
      site,
    );
    const { catalogStore, scheduler } = this.world;
    this.#ledgerWatch = new LedgerWatch(
      () => catalogStore.database,
      () => catalogStore.initialStocks,
      () => scheduler.nowMs,
    );
    const copiesWatch = new CopiesWatch(this.world.replicas);
    this.databases = new DatabaseFaults({
      world: this.world,
      ledgerWatch: this.#ledgerWatch,
      copiesWatch,
      acknowledgedId: () => acknowledgedId,
      found,
    });
  }

  /** The number of orders in the ledger. */
  get orders(): number {
    return this.#ledgerWatch.orders.length;
  }

  get rebuilds(): readonly Rebuild[] {
    return this.#ledgerWatch.rebuilds;
  }

  get areReplicasEqual(): boolean {
    return this.world.replicas.every(({ lastId }) => lastId() === this.orders);
  }

  /** I8: reports that the replicas aren't equal. */
  foundUnequal(): void {
    const lastIds = this.world.replicas.map(({ lastId }) => lastId());
    this.#options.found([`I8: the replicas end at orders ${lastIds.join(", ")}, the ledger at ${this.orders}`]);
  }

  /** The front-ends that have a whole path to the catalog while these ways stay cut. */
  ableFrontEnds(cuts: readonly Way[]): readonly FrontEndHost[] {
    const isWhole = (one: string, other: string) =>
      !cuts.some(([from, to]) => (from === one && to === other) || (from === other && to === one));
    const { catalog, replicas, frontEnds } = this.world;
    return frontEnds.filter(
      (frontEnd) =>
        isWhole(frontEnd.name, catalog.name) &&
        replicas.some(({ name }) => isWhole(frontEnd.name, name) && isWhole(name, catalog.name)),
    );
  }

  /** Checks the databases and what the clients of this ledger were answered, after everything has healed. */
  check(history: History): void {
    const { found, settings } = this.#options;
    const { world, databases } = this;
    const { catalogStore } = world;
    const ledger = readLedger(catalogStore.database);
    const since = (name: string) => (name === settings.lateStock.name ? databases.seededMs : 0);
    const circumstances: Circumstances = {
      ledger,
      committedMs: (id) => this.#ledgerWatch.committedMs(id),
      stocks: new Map(
        catalogStore.initialStocks.map(({ name, quantity }) => [name, { quantity, sinceMs: since(name) }]),
      ),
      rebuilds: this.rebuilds,
      rejectionsKeptMs: settings.rejectionsKeptMs,
      copies: databases.copies,
    };
    found(this.#ledgerWatch.look());
    found(this.#ledgerWatch.rewritten());
    for (const { name, database } of world.replicas) found(differences(name, readOrders(database), ledger));
    found(brokenOutcomes(history, circumstances).map((line) => `I4: ${line}`));
    found(staleAnswers(history, circumstances).map((line) => `I6: ${line}`));
  }

  /** I9: checks that the catalog can be rebuilt from a replica. Only for a ledger without violations: a wrong one can't be replayed. */
  checkRebuild(): void {
    const { catalogStore, replicas } = this.world;
    const [replica] = replicas;
    if (replica)
      this.#options.found(rebuiltDifferently(catalogStore.database, replica.database, catalogStore.initialStocks));
  }
}
