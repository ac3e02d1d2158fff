/**
 * Runs the transactions that change a ledger, one after the other, in two round trips each: lock the register and read,
 * then write and commit. Nobody else can change what was read, as every transaction locks the register first.
 *
 * A COMMIT without an answer may have happened: the connection broke, or the server didn't answer in time. Another
 * transaction, which changes nothing, then finds out: the register counts the transactions that have changed something, and
 * the lock waits for one that isn't over. Until then the outcome is neither reported nor is anything else begun: a change
 * that was committed without the catalog's knowledge would never reach the caches. Afterwards nothing is in doubt any more,
 * so whatever fails next fails as always.
 */

import { type Clock, pause } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import {
  type Connect,
  type Connection,
  forService,
  type Result,
  type Statement,
  type Value,
  type Write,
} from "./connection.ts";
import { explained, type PostgresFailure, postgresFailure } from "./failures.ts";
import { Link } from "./link.ts";
import type { Proofs } from "./proofs.ts";
import { changeRegister, lockRegister, proof, type RegisterChange, type RegisterRow, requireRow } from "./register.ts";
import { messageOf, sqlState } from "./sql-state.ts";

const retryFirstMs = 5;
const retryMaxMs = 100;
/** How long the outcome of a COMMIT may stay unknown before the process ends: as long as a slow failover takes. */
const unknownMsMax = 60_000;

const begin: Statement = { text: "BEGIN ISOLATION LEVEL READ COMMITTED" };
const commit: Statement = { text: "COMMIT" };
const rollback: Statement = { text: "ROLLBACK" };
/** The statement was ignored: an earlier one of the transaction has failed. */
const afterFailure = "25P02";

export type Send = <Row extends object>(statement: Statement, values?: readonly Value[]) => Promise<Result<Row>>;

export interface Decided<Outcome> {
  readonly outcome: Outcome;
  readonly writes?: readonly Write[];
  /** Without it nothing is committed. */
  readonly register?: RegisterChange;
}

export interface Transaction<Facts, Outcome> {
  /** Sends the queries of what is decided on, without waiting in between. */
  readonly ask: (send: Send) => Promise<Facts>;
  /** What it throws is thrown on, and nothing is written. */
  readonly decide: (register: RegisterRow, facts: Facts) => Decided<Outcome>;
}

export interface WriterOptions {
  readonly url: string;
  readonly connect: Connect;
  /** The ledger's name in messages. */
  readonly name: string;
  /** A transaction changes nothing once the register has another epoch. */
  readonly epoch: number;
  /** Whether the server may fail over: every transaction then commits a write. */
  readonly failover: boolean;
  readonly clock: Clock;
  /** Each transaction counts as a proof of the epoch. */
  readonly proofs: Proofs;
  /** How long a transaction is tried again after a failure that may pass. */
  readonly patienceMs: number;
  /** Called when a connection was lost: after a failover, others may still lead to the server that was deposed. */
  readonly lost?: () => void;
  /** Receives a failure after which this process must not go on with the ledger. */
  readonly broken: (error: unknown) => void;
}

/** A COMMIT was not answered. */
class UnknownCommit<Outcome> extends Error {
  readonly outcome: Outcome;
  /** The register's count of transactions if it happened. */
  readonly writes: number;

  constructor(outcome: Outcome, writes: number, cause: unknown) {
    super(messageOf(cause), { cause });
    this.outcome = outcome;
    this.writes = writes;
  }
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #link: Link;
  /** Resolves when no earlier transaction runs. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#link = new Link(options.connect, forService);
  }

  /**
   * Rejects with a BazaarError if the server can't be used: STORAGE_UNAVAILABLE if nothing was done. Rejects with the
   * server's error if it refuses the values, for example those that break a CHECK.
   */
  run<Facts, Outcome>(transaction: Transaction<Facts, Outcome>): Promise<Outcome> {
    const done = this.#turn.then(() => this.#patiently(transaction));
    this.#turn = done.catch(() => {});
    return done;
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#link.close();
  }

  async #patiently<Facts, Outcome>(transaction: Transaction<Facts, Outcome>): Promise<Outcome> {
    const { url, clock, patienceMs, broken } = this.#options;
    const endMs = clock.nowMs() + patienceMs;
    for (let delayMs = retryFirstMs; ; delayMs = Math.min(delayMs * 2, retryMaxMs)) {
      try {
        return await this.#once(transaction);
      } catch (error) {
        if (error instanceof BazaarError) throw error;
        if (error instanceof UnknownCommit) {
          if (await this.#hasHappened(error)) return error.outcome as Outcome;
        } else this.#renew(postgresFailure(error));
        if (!mayPass(error) || clock.nowMs() + delayMs > endMs) throw failureOf(url, causeOf(error), broken);
      }
      await pause(clock, delayMs);
    }
  }

  /** Finds out whether a transaction has happened. Rejects with UNAVAILABLE if that stays unknown. */
  async #hasHappened({ writes, cause }: UnknownCommit<unknown>): Promise<boolean> {
    const { clock } = this.#options;
    const endMs = clock.nowMs() + unknownMsMax;
    let failed = cause;
    for (let delayMs = retryFirstMs; ; delayMs = Math.min(delayMs * 2, retryMaxMs)) {
      // Whatever has failed: nothing is known of the connection.
      this.#renew("lost");
      if (clock.nowMs() + delayMs > endMs) throw this.#untold(failed);
      await pause(clock, delayMs);
      try {
        return await this.#once({ ask: nothing, decide: (found) => ({ outcome: found.writes === writes }) });
      } catch (error) {
        if (error instanceof BazaarError) throw unknownIf(error);
        failed = error;
      }
    }
  }

  async #once<Facts, Outcome>(transaction: Transaction<Facts, Outcome>): Promise<Outcome> {
    const { failover } = this.#options;
    const connection = await this.#link.connection();
    const { locked, decided } = await this.#decide(connection, transaction);
    const { outcome, writes = [], register } = decided;
    if (register !== undefined) {
      const all = [...writes, changeRegister(locked, register)];
      await commitAll(connection, all).catch((error: unknown) => {
        throw mayBeDone(error) ? new UnknownCommit(outcome, locked.writes + 1, error) : error;
      });
    } else if (failover) await this.#prove(connection);
    else await connection.query(rollback);
    return outcome;
  }

  /** Commits a write that isn't counted: if its answer is lost, the register still tells what happened before. */
  #prove(connection: Connection): Promise<void> {
    return commitAll(connection, [[proof, [this.#options.epoch]]]);
  }

  /** The next try gets a connection of its own: after a failover, a deposed primary may still hold the old one. */
  #renew(failure: PostgresFailure): void {
    if (failure === "other") return;
    this.#link.renew();
    if (failure === "lost") this.#options.lost?.();
  }

  /** The first round trip. Leaves the transaction open, unless it rejects. */
  async #decide<Facts, Outcome>(
    connection: Connection,
    { ask, decide }: Transaction<Facts, Outcome>,
  ): Promise<{ readonly locked: RegisterRow; readonly decided: Decided<Outcome> }> {
    const locking = this.#lock(connection, ask);
    // Where the server may fail over, only its COMMIT would be a proof.
    if (!this.#options.failover) this.#options.proofs.carriedBy(locking);
    try {
      const { locked, facts } = await locking;
      return { locked, decided: decide(locked, facts) };
    } catch (error) {
      // A deposed primary may lack the newest term and orders, and refuse what its successor would take.
      if (this.#options.failover && error instanceof BazaarError) await this.#prove(connection);
      // If this fails too, so does the next statement, and the connection is replaced.
      else await connection.query(rollback).catch(() => {});
      throw error;
    }
  }

  async #lock<Facts>(
    connection: Connection,
    ask: (send: Send) => Promise<Facts>,
  ): Promise<{ readonly locked: RegisterRow; readonly facts: Facts }> {
    const send: Send = (statement, values) => connection.query(statement, values);
    const [, { rows }, facts] = await answersOf([send(begin), send<RegisterRow>(lockRegister), ask(send)]);
    const locked = requireRow(rows);
    this.#requireEpoch(locked);
    return { locked, facts };
  }

  #requireEpoch({ epoch, holder }: RegisterRow): void {
    const { name, epoch: own, broken } = this.#options;
    if (epoch === own) return;
    const error = takenOver(name, { own, epoch, holder });
    broken(error);
    throw error;
  }

  #untold(error: unknown): BazaarError {
    const { name, broken } = this.#options;
    const text = `${name} has not told for ${unknownMsMax / 1000} s whether a transaction was committed: ${messageOf(error)}`;
    const failure = new BazaarError("UNAVAILABLE", text, { cause: error });
    broken(failure);
    return failure;
  }
}

async function nothing(): Promise<void> {}

function mayPass(error: unknown): boolean {
  const failure = postgresFailure(causeOf(error));
  return failure === "passing" || failure === "lost" || error instanceof UnknownCommit;
}

function causeOf(error: unknown): unknown {
  return error instanceof UnknownCommit ? error.cause : error;
}

/** What a catalog's calls reject with. `broken` receives an error after which the ledger can't be trusted. */
export function failureOf(url: string, error: unknown, broken: (error: unknown) => void): unknown {
  if (error instanceof BazaarError) return error;
  const failure = postgresFailure(error);
  if (failure === "other") return error;
  const explanation = explained(url, error);
  if (failure === "broken") broken(explanation);
  return new BazaarError("STORAGE_UNAVAILABLE", messageOf(explanation), { cause: error });
}

/** NOT_ACTIVE says that nothing was done, which isn't known of a transaction whose COMMIT was not answered. */
function unknownIf(error: BazaarError): BazaarError {
  return error.code === "NOT_ACTIVE" ? new BazaarError("UNAVAILABLE", error.message, { cause: error }) : error;
}

/** The error once the register has another epoch: nothing was done. */
export function takenOver(
  name: string,
  { own, epoch, holder }: { readonly own: number; readonly epoch: number; readonly holder: string },
): BazaarError {
  const who = holder === "" ? "another process, which has ended" : holder;
  return new BazaarError("NOT_ACTIVE", `${name} was taken over by ${who} (epoch ${epoch}, this catalog has ${own})`);
}

/** Writes and commits in one round trip. */
async function commitAll(connection: Connection, writes: readonly Write[]): Promise<void> {
  const sent = writes.map(([statement, values]) => connection.query(statement, values));
  const answers = await answersOf([...sent, connection.query(commit)]);
  const done = answers.at(-1)?.command;
  if (done !== "COMMIT") throw new Error(`COMMIT must be done (got ${done})`);
}

/** Only an error of the server says that nothing was done. */
function mayBeDone(error: unknown): boolean {
  return sqlState(error) === "" || postgresFailure(error) === "lost";
}

/**
 * The answers to queries that were sent together. Rejects with the first error once all are answered: those after it were
 * ignored by the server.
 */
async function answersOf<const Sent extends readonly Promise<unknown>[]>(
  sent: Sent,
): Promise<{ -readonly [Index in keyof Sent]: Awaited<Sent[Index]> }> {
  const answers = await Promise.allSettled(sent);
  const errors = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason as unknown] : []));
  if (errors.length > 0) throw errors.find((error) => sqlState(error) !== afterFailure) ?? errors[0];
  return answers.map((answer) => answer.status === "fulfilled" && answer.value) as never;
}
