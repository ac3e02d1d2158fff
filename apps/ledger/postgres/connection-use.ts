/** What connections to PostgreSQL are for, and the settings that each of them gives itself. */

import { schemaName } from "./schema.ts";

/** How the server lists a connection. */
export const applicationName = "stock-bazaar";

/** What a connection is for. Settings are the server's, in its units; those that a server lacks are left out. */
export interface ConnectionUse {
  /** Whether the server must accept writes. */
  readonly writes: boolean;
  /** The deadline of each query. */
  readonly queryMsMax: number;
  readonly settings: Readonly<Record<string, string>>;
}

const durable = {
  search_path: schemaName,
  synchronous_commit: "on",
  default_transaction_isolation: "read committed",
  // Otherwise the server keeps the connections of a host that has vanished, for up to two hours.
  tcp_user_timeout: "8000",
  tcp_keepalives_idle: "5",
  tcp_keepalives_interval: "1",
  tcp_keepalives_count: "3",
};

/** For a catalog. A frozen one must not keep the register locked: the server ends its transaction. */
export const forService: ConnectionUse = {
  writes: true,
  queryMsMax: 2000,
  settings: {
    ...durable,
    lock_timeout: "1000",
    idle_in_transaction_session_timeout: "1000",
    // Not before the query's own deadline: a slow disk is no reason to end a commit.
    transaction_timeout: "2000",
    // Every query of a catalog is a look-up by an index. While a new table has no statistics, the planner would choose to
    // read all of it, and keep that plan when it has grown.
    enable_seqscan: "off",
    enable_hashjoin: "off",
    enable_mergejoin: "off",
    // So one plan will do, whatever the values.
    plan_cache_mode: "force_generic_plan",
    // Before PostgreSQL 18, what is forbidden here counts as so costly that a server with LLVM compiled every statement
    // on the register, whose one row it reads without an index: tens of ms each.
    jit: "off",
  },
};

/** For signs of life. One that is lost with the server's memory was in vain, so it isn't worth a sync. */
export const forBeats: ConnectionUse = {
  ...forService,
  settings: { ...forService.settings, synchronous_commit: "off" },
};

/** For whoever has the ledger in an epoch: its successor ends what the server still does on these connections. */
export function inEpoch(use: ConnectionUse, epoch: number): ConnectionUse {
  return { ...use, settings: { ...use.settings, application_name: nameInEpoch(epoch) } };
}

/** The name of these connections on the server. */
export function nameInEpoch(epoch: number): string {
  return `${applicationName}, epoch ${epoch}`;
}

/** For tools, which may read or write a whole ledger in one transaction. */
export const forTools: ConnectionUse = {
  writes: true,
  queryMsMax: 600_000,
  settings: {
    ...durable,
    lock_timeout: "10000",
    idle_in_transaction_session_timeout: "0",
    transaction_timeout: "0",
    statement_timeout: "0",
  },
};

/** For tools that only read: a standby will do. */
export const forReading: ConnectionUse = { ...forTools, writes: false };
