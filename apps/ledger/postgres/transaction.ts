/** What a transaction on a ledger is made of, and how its statements are sent. */

import type { Connection, Result, Statement, Value, Write } from "./connection.ts";
import { postgresFailure } from "./failures.ts";
import type { RegisterChange, RegisterRow } from "./register.ts";
import { sqlState } from "./sql-state.ts";

export const begin: Statement = { text: "BEGIN ISOLATION LEVEL READ COMMITTED" };
export const rollback: Statement = { text: "ROLLBACK" };
const commit: Statement = { text: "COMMIT" };
/** The statement was ignored: an earlier one of the transaction has failed. */
const afterFailure = "25P02";

export type Send = <Row extends object>(statement: Statement, values?: readonly Value[]) => Promise<Result<Row>>;

export interface Decided<Outcome> {
  readonly outcome: Outcome;
  readonly writes?: readonly Write[];
  /** Without it nothing is committed. */
  readonly register?: RegisterChange;
}

/** Decided on what this process remembers, without asking. */
export interface Remembered<Outcome> {
  readonly outcome: Outcome;
  /** One statement that does all, the register included, and finds a row; or changes nothing and finds none. */
  readonly swap: Write;
  /** What the statement changes in the register, beside the count of transactions. */
  readonly register: RegisterChange;
}

export interface Transaction<Facts, Outcome> {
  /** Tried first, with the register as it is remembered. Returns `undefined` unless all else is remembered too. */
  readonly remembered?: (register: RegisterRow) => Remembered<Outcome> | undefined;
  /** Sends the queries of what is decided on, without waiting in between. */
  readonly ask: (send: Send) => Promise<Facts>;
  /** What it throws is thrown on, and nothing is written. */
  readonly decide: (register: RegisterRow, facts: Facts) => Decided<Outcome>;
  /** Called when the outcome is known to be stored, before the next transaction begins. */
  readonly stored?: (outcome: Outcome) => void;
}

/** Writes and commits in one round trip. */
export async function commitAll(connection: Connection, writes: readonly Write[]): Promise<void> {
  const sent = writes.map(([statement, values]) => connection.query(statement, values));
  const answers = await answersOf([...sent, connection.query(commit)]);
  const done = answers.at(-1)?.command;
  if (done !== "COMMIT") throw new Error(`COMMIT must be done (got ${done})`);
}

/** Only an error of the server says that nothing was done. */
export function mayBeDone(error: unknown): boolean {
  return sqlState(error) === "" || postgresFailure(error) === "lost";
}

/**
 * The answers to queries that were sent together. Rejects with the first error once all are answered: those after it were
 * ignored by the server.
 */
export async function answersOf<const Sent extends readonly Promise<unknown>[]>(
  sent: Sent,
): Promise<{ -readonly [Index in keyof Sent]: Awaited<Sent[Index]> }> {
  const answers = await Promise.allSettled(sent);
  const errors = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason as unknown] : []));
  if (errors.length > 0) throw errors.find((error) => sqlState(error) !== afterFailure) ?? errors[0];
  return answers.map((answer) => answer.status === "fulfilled" && answer.value) as never;
}
