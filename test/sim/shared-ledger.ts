/** One ledger that several simulated catalogs share. */

import { takesOver } from "@stock-bazaar/ledger/postgres/stand";
import type { TakeOver } from "@stock-bazaar/ledger/store";
import type { CatalogStore } from "./catalog-store.ts";
import type { Caller, Network } from "./network.ts";
import { Host, type Life } from "./process.ts";
import type { Random } from "@stock-bazaar/shared/random";
import type { Scheduler } from "./scheduler.ts";
import { connectShared } from "./shared-connection.ts";
import { SharedServer } from "./shared-server.ts";

export interface SharedSettings {
  /** The number of catalogs. */
  readonly catalogs: number;
  /** For how long a standby sees the register unchanged before it takes the ledger over. */
  readonly silenceMs: number;
  /** The share of the real limits on transactions and queries. */
  readonly pace: number;
  /** Whether every answer is proven by a write. */
  readonly failover: boolean;
  /** Whether the server ends long transactions. */
  readonly limitsTransactions: boolean;
}

export interface SharedLedgerOptions {
  /** The name of the server's host. */
  readonly name: string;
  readonly settings: SharedSettings;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly network: Network;
  readonly store: CatalogStore;
  readonly life: Life;
  readonly committed: () => void;
}

const patienceMs = 500;

export class SharedLedger {
  readonly host: Host<SharedServer>;
  readonly server: SharedServer;
  readonly #options: SharedLedgerOptions;

  constructor(options: SharedLedgerOptions) {
    this.#options = options;
    this.server = new SharedServer({ ...options, ...options.settings });
    this.host = new Host(options.name);
    this.host.life = options.life;
    this.host.service = this.server;
  }

  /** The catalog that has the ledger by its register; empty if none has. */
  get holder(): string {
    return this.server.tables.extra.holder;
  }

  takesOver(caller: Caller, broken: (error: unknown) => void): TakeOver {
    const { settings, network } = this.#options;
    return takesOver({
      url: "postgres://simulated/ledger",
      name: "the ledger",
      failover: settings.failover,
      connect: (use) => connectShared(network, this.host, caller, settings.pace, use),
      clock: caller.life.clock,
      patienceMs: patienceMs * settings.pace,
      broken,
      self: caller.name,
      silenceMs: settings.silenceMs,
    });
  }
}
