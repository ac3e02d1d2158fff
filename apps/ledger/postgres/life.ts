/** Whether a ledger exists, how it is created and opened, and whether it is still there. */

import { advice } from "@stock-bazaar/process/advice";
import { withoutPassword } from "@stock-bazaar/process/ledger-url";
import { type Clock, every } from "@stock-bazaar/shared/clock";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import type { Connection } from "./connection.ts";
import { forReading, forService, forTools } from "./connection-use.ts";
import { connectTo } from "./hosts.ts";
import { postgresFailure } from "./failures.ts";
import { takeFromAnybody } from "./holder.ts";
import { Link } from "./link.ts";
import { migrateLedger } from "./migrations.ts";
import { ledgerExists } from "./schema.ts";
import { noteTimeline } from "./timeline.ts";
import { explaining, onConnection } from "./view.ts";
import { takenOver } from "./writer.ts";

const lookEveryMs = 1000;

export function isLedgerMissing(url: string): Promise<boolean> {
  return explaining(url, async () => {
    const connection = await connectTo(url, forReading);
    try {
      const { rows } = await connection.query<{ exists: boolean }>(ledgerExists);
      return rows[0]?.exists !== true;
    } finally {
      await connection.close();
    }
  });
}

export function createLedger(url: string): Promise<number> {
  return explaining(url, async () => {
    const connection = await connectTo(url, forTools);
    try {
      return await migrateLedger(connection, url);
    } finally {
      await connection.close();
    }
  });
}

/** Resolves with the epoch to write in: `held` if this process has the ledger, else a new one. */
export function openLedger(url: string, held: number, warn: (text: string) => void): Promise<number> {
  return onUsableLedger(url, warn, async (connection) => (held > 0 ? held : takeFromAnybody(connection)));
}

/** Rejects unless a service can use the ledger. */
export function checkUsable(url: string, warn: (text: string) => void): Promise<void> {
  return onUsableLedger(url, warn, async () => {});
}

function onUsableLedger<Result>(
  url: string,
  warn: (text: string) => void,
  action: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  return onConnection(url, forService, (connection) =>
    explaining(url, async () => {
      const tell = (text: string) => warn(`${withoutPassword(url)}: ${text}`);
      for (const concern of await concernsOf(connection)) tell(concern);
      await noteTimeline(connection, tell);
      return action(connection);
    }),
  );
}

interface Settings {
  readonly fsync: string;
  readonly standbys: number;
  readonly synchronous: string;
}

/** What may lose acknowledged orders, although every COMMIT is synchronous. */
async function concernsOf(connection: Connection): Promise<string[]> {
  const { rows } = await connection.query<Settings>({
    text: `SELECT current_setting('fsync') AS fsync, (SELECT count(*) FROM pg_stat_replication) AS standbys,
      current_setting('synchronous_standby_names') AS synchronous`,
  });
  const [server] = rows;
  if (!server) return [];
  const { fsync, standbys, synchronous } = server;
  return [
    ...(fsync === "on" ? [] : [`fsync must be on (got ${fsync}): a power cut may lose acknowledged orders`]),
    ...(standbys === 0 || synchronous !== ""
      ? []
      : [
          `synchronous_standby_names must name a standby (got none, and standbys: ${standbys}): a failover may lose acknowledged orders`,
        ]),
  ];
}

export interface WatchOptions {
  readonly url: string;
  readonly name: string;
  /** The own epoch; `undefined` for one of several catalogs, which notices another one by itself (`stand.ts`). */
  readonly epoch: number | undefined;
  readonly clock: Clock;
  readonly warn: (text: string) => void;
  readonly gone: (error: Error) => void;
}

/** Calls `gone` once if the ledger is deleted, or taken over by another process. */
export function watchLedger({ url, name, epoch: own, clock, warn, gone }: WatchOptions): () => void {
  const link = new Link((use) => connectTo(url, use), forService);
  const end = (error: Error) => {
    stop();
    gone(error);
  };
  const look = async () => {
    try {
      const connection = await link.connection();
      const { rows } = await connection.query<{ epoch: number; holder: string }>({
        text: "SELECT epoch, holder FROM register",
      });
      const [register] = rows;
      if (register === undefined) end(deleted(name));
      else if (own !== undefined && register.epoch !== own) end(takenOver(name, { own, ...register }));
      else await noteTimeline(connection, (text) => warn(`${name}: ${text}`));
    } catch (error) {
      // A server that can't be reached is no proof: the ledger's own calls report it.
      if (postgresFailure(error) === "missing") end(deleted(name));
    }
  };
  const cancel = every(clock, lookEveryMs, look);
  const stop = () => {
    cancel();
    void link.close();
  };
  return stop;
}

export function deleted(name: string): DatabaseError {
  return new DatabaseError("missing", name, `was deleted while it was in use: ${advice.rebuildCatalog}`);
}
