/**
 * The ledger's store on PostgreSQL: a schema in a database. Everything that needs a connection is imported when it is used,
 * so a bazaar whose ledger is a file doesn't load pg.
 */

import { withoutPassword, wrongLedgerUrl } from "@stock-bazaar/process/ledger-url";
import { systemClock } from "@stock-bazaar/shared/clock";
import type { LedgerStore, OpenOptions, TakeOver, Unlock } from "../store.ts";

const defaultPatienceMs = 500;

/** The epochs that the locks of this process have begun, by URL: a tool may lock and change a ledger through two stores. */
const heldEpochs = new Map<string, number>();

export interface PostgresOptions {
  /** Whether the server may fail over while it is used: every answer is then proven by a write. */
  readonly failover?: boolean | undefined;
}

export function postgresLedgerStore(url: string, { failover = false }: PostgresOptions = {}): LedgerStore {
  const name = withoutPassword(url);
  /** The epoch that its lock has begun; 0 without a lock. */
  let lockedEpoch = 0;
  /** The epoch of the ledger that was opened last; `undefined` for one of several catalogs. */
  let openEpoch: number | undefined;
  /** Of that ledger. */
  let openWarn: (text: string) => void = () => {};

  const target = () => ({ url, heldEpoch: heldEpochs.get(url) ?? 0 });

  async function take(waits: boolean): Promise<Unlock | string> {
    const [{ takeLedger }, { explaining }] = await Promise.all([import("./holder.ts"), import("./view.ts")]);
    const held = await explaining(url, () => takeLedger({ url, clock: systemClock, waits }));
    if (typeof held === "string") return held;
    if (held === undefined) return async () => {};
    lockedEpoch = held.epoch;
    heldEpochs.set(url, held.epoch);
    return async () => {
      lockedEpoch = 0;
      heldEpochs.delete(url);
      await held.release();
    };
  }

  return {
    name,
    files: [],
    async isMissing() {
      const { isLedgerMissing } = await import("./life.ts");
      return isLedgerMissing(url);
    },
    async migrate() {
      const { createLedger } = await import("./life.ts");
      return createLedger(url);
    },
    async open(options = {}) {
      const { warn, ...opening } = withDefaults(options);
      const [{ openLedger }, { createPostgresLedger }, { connectTo }] = await Promise.all([
        import("./life.ts"),
        import("./postgres-ledger.ts"),
        import("./hosts.ts"),
      ]);
      const epoch = await openLedger(url, lockedEpoch, warn);
      [openEpoch, openWarn] = [epoch, warn];
      return createPostgresLedger({ url, name, epoch, failover, connect: (use) => connectTo(url, use), ...opening });
    },
    async standBy(options): Promise<TakeOver> {
      const { warn, ...opening } = withDefaults(options);
      const [{ checkUsable }, { takesOver }, { connectTo }] = await Promise.all([
        import("./life.ts"),
        import("./stand.ts"),
        import("./hosts.ts"),
      ]);
      await checkUsable(url, warn);
      [openEpoch, openWarn] = [undefined, warn];
      return takesOver({ url, name, failover, connect: (use) => connectTo(url, use), ...opening });
    },
    async requireUsable() {
      // The server watches over its own files.
    },
    async lock() {
      const taken = await take(true);
      if (typeof taken !== "string") return taken;
      throw wrongLedgerUrl(url, "must be a database that no other service uses", `another service uses it, ${taken}`);
    },
    async lockIfFree() {
      const taken = await take(false);
      return typeof taken === "string" ? undefined : taken;
    },
    watch(clock, gone) {
      const options = { url, name, epoch: openEpoch, clock, warn: openWarn, gone };
      const watching = import("./life.ts").then(({ watchLedger }) => watchLedger(options));
      return () => void watching.then((end) => end());
    },
    read: async (look) => (await import("./view.ts")).readLedger(url, look),
    check: async (copies, seen) => (await import("./check.ts")).checkLedger(url, copies, seen),
    addStocks: async (stocks, beforeCommit) => (await import("./changes.ts")).addStocks(url, stocks, beforeCommit),
    fillEmpty: async (content, beforeCommit) =>
      (await import("./changes.ts")).fillLedger(target(), content, beforeCommit),
    replaceWith: async (content) => (await import("./changes.ts")).replaceLedger(target(), content),
    continueWith: async (pages) => (await import("./continue.ts")).continueLedger(target(), pages),
    copyFrom: async (source, compare) => (await import("./copy.ts")).copyLedger(target(), source, compare),
  };
}

function withDefaults({
  broken = () => {},
  warn = () => {},
  clock = systemClock,
  patienceMsMax = Number.POSITIVE_INFINITY,
}: OpenOptions) {
  return { broken, warn, clock, patienceMs: Math.min(defaultPatienceMs, patienceMsMax) };
}
