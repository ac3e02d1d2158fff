/**
 * Who has the ledger: an epoch in the register, and the process that began it.
 *
 * A process takes the ledger over by raising the epoch, in a compare-and-set. From then on a transaction of an earlier epoch
 * changes nothing, so safety needs no clock. While a process has the ledger it changes the register at least every
 * `beatMs`. Another one takes over only when it has watched the register unchanged for `silenceMs` of its own clock, or
 * when the ledger was released or its holder has ended on this machine: it trusts no wall clock, and deposes no process
 * that works.
 */

import { hostname } from "node:os";
import { processIdSpace } from "@stock-bazaar/process/process-ids";
import { type Clock, every, pause } from "@stock-bazaar/shared/clock";
import type { Connection } from "./connection.ts";
import { forBeats, forService, inEpoch, nameInEpoch } from "./connection-use.ts";
import { connectTo } from "./hosts.ts";
import { postgresFailure } from "./failures.ts";
import { Link } from "./link.ts";
import { ledgerExists } from "./schema.ts";
import { sqlState } from "./sql-state.ts";

const beatMs = 400;
const silenceMs = 2000;
const lookEveryMs = 100;

const read = { text: "SELECT epoch, holder, beat, writes FROM register" };
const take = {
  text: `UPDATE register SET epoch = epoch + 1, holder = $1, beat = 0
    WHERE epoch = $2 AND beat = $3 AND writes = $4 RETURNING epoch`,
};
const takeAnyway = { text: "UPDATE register SET epoch = epoch + 1, holder = '', beat = 0 RETURNING epoch" };
const beat = { text: "UPDATE register SET beat = beat + 1 WHERE epoch = $1" };
/**
 * A COMMIT that only waits for its standby goes on: its transaction is done, and those of the successor would wait as well.
 * Of other users' connections the server would refuse to end any.
 */
const endBackends = {
  text: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
    AND usename = current_user AND application_name = $1 AND wait_event IS DISTINCT FROM 'SyncRep'`,
};
const release = { text: "UPDATE register SET holder = '' WHERE epoch = $1" };

/** What a living holder changes. */
export interface Sign {
  readonly epoch: number;
  readonly holder: string;
  readonly beat: number;
  readonly writes: number;
}

export interface Held {
  readonly epoch: number;
  release(): Promise<void>;
}

export interface TakeOptions {
  readonly url: string;
  readonly clock: Clock;
  /** Whether to wait for a living holder that may be ending. */
  readonly waits: boolean;
}

/**
 * Takes the ledger. Returns the living holder's name if there is one; `undefined` if there is no ledger to be taken.
 * Rejects with the errors of the connection.
 */
export async function takeLedger({ url, clock, waits }: TakeOptions): Promise<Held | string | undefined> {
  const connection = await connectTo(url, forService);
  try {
    const taken = await whenFree(connection, clock, waits);
    return typeof taken === "number"
      ? holding(new Link((use) => connectTo(url, use), inEpoch(forBeats, taken)), { clock, epoch: taken })
      : taken;
  } finally {
    await connection.close().catch(() => {});
  }
}

/** Takes the ledger from whoever has it, for as long as nobody else does. */
export async function takeFromAnybody(connection: Connection): Promise<number> {
  const { rows } = await connection.query<{ epoch: number }>(takeAnyway);
  return rows[0]?.epoch ?? 0;
}

/** Resolves with the new epoch, or with the name of the holder. */
async function whenFree(connection: Connection, clock: Clock, waits: boolean): Promise<number | string | undefined> {
  const { rows } = await connection.query<{ exists: boolean }>(ledgerExists);
  if (!rows[0]?.exists) return undefined;
  const beganMs = clock.nowMs();
  let seen: Sign | undefined;
  let seenMs = beganMs;
  for (;;) {
    const sign = await readSign(connection);
    if (sign === undefined) return undefined;
    const nowMs = clock.nowMs();
    if (seen === undefined || !isSame(seen, sign)) {
      const lives = seen !== undefined;
      [seen, seenMs] = [sign, nowMs];
      if (lives && sign.holder !== "" && (!waits || nowMs - beganMs >= silenceMs)) return sign.holder;
    }
    if (sign.holder === "" || hasEndedHere(sign.holder) || nowMs - seenMs >= silenceMs) {
      const epoch = await tryTake(connection, sign, ownName());
      if (epoch !== undefined) return epoch;
      if (!waits || clock.nowMs() - beganMs >= silenceMs) return sign.holder || "another process";
    }
    await pause(clock, lookEveryMs);
  }
}

/**
 * Takes the ledger from a holder that doesn't live. Resolves with `undefined` if the register has changed meanwhile, or a
 * transaction has locked it.
 */
export async function tryTake(
  connection: Connection,
  { epoch, holder: old, beat, writes }: Sign,
  holder: string,
): Promise<number | undefined> {
  if (old !== "") await endOld(connection, epoch);
  try {
    return (await connection.query<{ epoch: number }>(take, [holder, epoch, beat, writes])).rows[0]?.epoch;
  } catch (error) {
    if (postgresFailure(error) === "passing") return undefined;
    throw error;
  }
}

/**
 * Ends what the server still does for the holder of this epoch, as it may keep the register locked: a transaction that waits
 * for a frozen client isn't idle, and servers before PostgreSQL 17 have no limit for it.
 */
async function endOld(connection: Connection, epoch: number): Promise<void> {
  try {
    await connection.query(endBackends, [nameInEpoch(epoch)]);
  } catch (error) {
    // Not every server has this view, or lets its users do this. Then its own limits must do.
    if (sqlState(error) === "") throw error;
  }
}

export async function readSign(connection: Connection): Promise<Sign | undefined> {
  return (await connection.query<Sign>(read)).rows[0];
}

/** This process, for people. */
export function ownName(): string {
  return holderName(process.pid);
}

/** Two machines, or containers on one, may have the same host name: then the id says nothing about their processes. */
export function holderName(pid: number): string {
  const space = processIdSpace();
  return `process ${pid} on ${hostname()}${space === "" ? "" : ` (${space})`}`;
}

/** Whether a holder was a process of this machine that has ended: a restart needn't wait. */
export function hasEndedHere(holder: string): boolean {
  const pid = Number(/^process (\d+) /.exec(holder)?.[1]);
  if (!(pid > 0) || holder !== holderName(pid)) return false;
  try {
    return !process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

export function isSame(one: Sign, other: Sign): boolean {
  return one.epoch === other.epoch && one.beat === other.beat && one.writes === other.writes;
}

export interface HoldingOptions {
  readonly clock: Clock;
  readonly epoch: number;
  readonly everyMs?: number;
  /** Called when another epoch is found in the register. */
  readonly passed?: () => void;
}

/** Shows on `link` that this process lives. */
export function holding(link: Link, { clock, epoch, everyMs = beatMs, passed = () => {} }: HoldingOptions): Held {
  const tell = async (statement: typeof beat) => {
    try {
      const connection = await link.connection();
      try {
        const { count } = await connection.query(statement, [epoch]);
        if (count === 0) passed();
      } catch (error) {
        if (postgresFailure(error) === "lost") connection.abandon();
      }
    } catch {
      // The ledger's own calls report it. Another process may take over meanwhile, which they notice.
    }
  };
  const stop = every(clock, everyMs, () => tell(beat));
  return {
    epoch,
    async release() {
      stop();
      await tell(release);
      await link.close();
    },
  };
}
