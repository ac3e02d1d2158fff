/**
 * Runs the transactions that change a ledger, one after the other. One that can be decided on what this process remembers
 * is a single statement, which changes nothing if something else is stored. Any other takes two round trips: lock the
 * register and read, then write and commit. Nobody else can change what was read, as every transaction locks the register
 * first.
 *
 * A COMMIT without an answer may have happened: the connection broke, or the server didn't answer in time. Another
 * transaction then finds out: the register counts the transactions that have changed something, and the lock waits for one
 * that isn't over. If it hasn't happened, the count skips its number: a single statement that is still on its way on the old
 * connection then changes nothing when it arrives. Until then the outcome is neither reported nor is anything else begun: a change
 * that was committed without the catalog's knowledge would never reach the caches. Afterwards nothing is in doubt any more,
 * so whatever fails next fails as always.
 */

import { type Clock, pause } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Connect, Connection } from "./connection.ts";
import { forService } from "./connection-use.ts";
import { explained, type PostgresFailure, postgresFailure } from "./failures.ts";
import { Link } from "./link.ts";
import type { Proofs } from "./proofs.ts";
import { changed, lockRegister, proof, type RegisterRow, requireRow, setRegister } from "./register.ts";
import { messageOf } from "./sql-state.ts";
import {
  answersOf,
  begin,
  commitAll,
  type Decided,
  mayBeDone,
  rollback,
  type Send,
  type Transaction,
} from "./transaction.ts";

const retryFirstMs = 5;
const retryMaxMs = 100;
/** How long the outcome of a COMMIT may stay unknown before the process ends: as long as a slow failover takes. */
const unknownMsMax = 60_000;

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

/** What is stored, and the register as it is now. */
interface Done<Outcome> {
  readonly outcome: Outcome;
  readonly register: RegisterRow;
}

/** A COMMIT was not answered. */
class UnknownCommit<Outcome> extends Error {
  /** What is stored if it happened. */
  readonly done: Done<Outcome>;

  constructor(done: Done<Outcome>, cause: unknown) {
    super(messageOf(cause), { cause });
    this.done = done;
  }
}

/** Something isn't as it was remembered. */
class Changed extends Error {}

export class Writer {
  readonly #options: WriterOptions;
  readonly #link: Link;
  /** The register as this process's last transaction left it. */
  #register: RegisterRow | undefined;
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
        return this.#keep(transaction, await this.#once(transaction));
      } catch (error) {
        if (error instanceof BazaarError) throw error;
        if (error instanceof UnknownCommit) {
          if (await this.#hasHappened(error)) return this.#keep(transaction, error.done as Done<Outcome>);
        } else this.#renew(postgresFailure(error));
        if (!mayPass(error) || clock.nowMs() + delayMs > endMs) throw failureOf(url, causeOf(error), broken);
      }
      await pause(clock, delayMs);
    }
  }

  /** Finds out whether a transaction has happened; else it never will. Rejects with UNAVAILABLE if that stays unknown. */
  async #hasHappened({ done: { register }, cause }: UnknownCommit<unknown>): Promise<boolean> {
    const { clock } = this.#options;
    const endMs = clock.nowMs() + unknownMsMax;
    let failed = cause;
    for (let delayMs = retryFirstMs; ; delayMs = Math.min(delayMs * 2, retryMaxMs)) {
      // Whatever has failed: nothing is known of the connection.
      this.#renew("lost");
      if (clock.nowMs() + delayMs > endMs) throw this.#untold(failed);
      await pause(clock, delayMs);
      try {
        const { outcome } = await this.#once({
          ask: nothing,
          decide: ({ writes }) =>
            writes < register.writes
              ? { outcome: false, register: { writes: register.writes } }
              : { outcome: writes === register.writes },
        });
        return outcome;
      } catch (error) {
        if (error instanceof BazaarError) throw unknownIf(error);
        failed = error;
      }
    }
  }

  #keep<Facts, Outcome>({ stored }: Transaction<Facts, Outcome>, { outcome, register }: Done<Outcome>): Outcome {
    this.#register = register;
    stored?.(outcome);
    return outcome;
  }

  async #once<Facts, Outcome>(transaction: Transaction<Facts, Outcome>): Promise<Done<Outcome>> {
    const connection = await this.#link.connection();
    return (await this.#swap(connection, transaction)) ?? (await this.#transact(connection, transaction));
  }

  /** One round trip. Resolves with `undefined` if nothing was done: only a transaction that reads can tell why. */
  async #swap<Facts, Outcome>(
    connection: Connection,
    { remembered }: Transaction<Facts, Outcome>,
  ): Promise<Done<Outcome> | undefined> {
    const decided = this.#register && remembered?.(this.#register);
    if (!this.#register || !decided) return undefined;
    const done = { outcome: decided.outcome, register: changed(this.#register, decided.register) };
    const found = connection.query(...decided.swap).then(({ count }) => {
      if (count === 0) throw new Changed();
    });
    this.#options.proofs.carriedBy(found);
    try {
      await found;
      return done;
    } catch (error) {
      if (error instanceof Changed) return undefined;
      if (mayBeDone(error)) throw new UnknownCommit(done, error);
      if (postgresFailure(error) === "other") return undefined;
      throw error;
    }
  }

  /** Two round trips. */
  async #transact<Facts, Outcome>(
    connection: Connection,
    transaction: Transaction<Facts, Outcome>,
  ): Promise<Done<Outcome>> {
    const { locked, decided } = await this.#decide(connection, transaction);
    const { outcome, writes = [], register: change } = decided;
    if (change === undefined) {
      if (this.#options.failover) await this.#prove(connection);
      else await connection.query(rollback);
      return { outcome, register: locked };
    }
    const register = changed(locked, change);
    await commitAll(connection, [...writes, setRegister(register)]).catch((error: unknown) => {
      throw mayBeDone(error) ? new UnknownCommit({ outcome, register }, error) : error;
    });
    return { outcome, register };
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
