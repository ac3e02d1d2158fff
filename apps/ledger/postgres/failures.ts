/** Classifies errors of PostgreSQL and of the connection to it, and explains them to people. */

import { advice } from "@stock-bazaar/process/advice";
import { withoutPassword, wrongLedgerUrl } from "@stock-bazaar/process/ledger-url";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { RefusedServer, UnreachableServer } from "./connection.ts";
import { messageOf, sqlState } from "./sql-state.ts";

/**
 * `passing`: nothing was done by the failed statement, and another try may succeed. `lost`: so is the connection, and a
 * statement on it may still be done. `refused`: nothing was done, and only a person can help, by a right or more room.
 * `broken`: what is stored can't be trusted any more.
 */
export type PostgresFailure = "passing" | "lost" | "refused" | "missing" | "broken" | "other";

export function postgresFailure(error: unknown): PostgresFailure {
  const state = sqlState(error);
  if (state === "") return isOfConnection(error) ? "lost" : "other";
  // A serialization failure, a deadlock, a lock that wasn't free in time, a cancelled statement.
  if (/^(40001|40P01|55P03|57014)$/.test(state)) return "passing";
  // The primary has become a standby: another connection may find the new one. The server ends, starts, or ended the
  // session because of its time limits. 40003: whether it was done is unknown.
  if (/^(25006|25P0[34]|57P0[1-5]|53300|40003|08...)$/.test(state)) return "lost";
  // A full disk or memory, a wrong password, no such database, no right to do this.
  if (/^(53100|53200|53400|28...|3D000|42501)$/.test(state)) return "refused";
  if (/^(42P01|3F000|42703)$/.test(state)) return "missing";
  if (/^(XX001|XX002|58...)$/.test(state)) return "broken";
  return "other";
}

function isOfConnection(error: unknown): boolean {
  if (error instanceof RefusedServer || error instanceof UnreachableServer) return true;
  if (!(error instanceof Error)) return false;
  // Errors of sockets have a code like ECONNRESET, those of pg a text only.
  return (
    ("code" in error && /^E[A-Z_]+$/.test(String(error.code))) ||
    /^(Connection terminated|Query read timeout|Client (was closed|has encountered))/.test(error.message)
  );
}

/**
 * The error as a DatabaseError, or a SetupError, that names the ledger and what to do. An error that is neither the
 * server's nor the connection's stays as it is.
 */
export function explained(url: string, error: unknown): unknown {
  if (sqlState(error) === "" && postgresFailure(error) === "other") return error;
  const name = withoutPassword(url);
  const message = messageOf(error);
  const cause = { cause: error };
  const unusable = (text: string) => new DatabaseError("unreadable", name, text, cause);
  switch (sqlState(error)) {
    case "28P01":
    case "28000":
      return wrongLedgerUrl(
        url,
        "must have a user and a password that the server accepts",
        message.includes("no encryption") ? `${message}; add ?sslmode=require to it, or allow this` : message,
      );
    case "3D000":
      return wrongLedgerUrl(
        url,
        "must name a database that exists",
        `${message}; create it, for example with createdb`,
      );
    case "42501":
      return wrongLedgerUrl(url, "must name a user that may create and use a schema in the database", message);
    case "57P03":
      return unusable(`isn't ready: ${message}: try again when it is`);
    case "55P03":
      return unusable(`is being changed by another session: ${message}: try again when that has ended`);
    case "53300":
      return unusable(`has no connection left: ${message}: raise that limit, or end other sessions`);
    default:
  }
  switch (postgresFailure(error)) {
    case "lost":
      if (error instanceof RefusedServer) return unusable(`can't be used: ${message}`);
      return unusable(`can't be reached: ${message}: is LEDGER_URL right, and does the server run?`);
    case "refused":
      return unusable(`refuses this: ${message}`);
    case "broken":
      return new DatabaseError("damaged", name, `is damaged: ${message}: ${advice.replaceCatalog}`, cause);
    case "missing":
      return new DatabaseError("missing", name, `does not exist: ${advice.migrateThenSeed}`, cause);
    case "passing":
    case "other":
      return unusable(`can't be used: ${message}`);
  }
}
