import { expect, test } from "vitest";
import { RefusedServer, UnreachableServer } from "./connection.ts";
import { explained, type PostgresFailure, postgresFailure } from "./failures.ts";
import { sqlState } from "./sql-state.ts";

const url = "postgres://bazaar:secret@db.example/bazaar";

function ofServer(code: string): Error {
  return Object.assign(new Error("the server says no"), { code, severity: "ERROR" });
}

test.each<[PostgresFailure, string[]]>([
  ["passing", ["40001", "40P01", "55P03", "57014"]],
  ["lost", ["25006", "25P03", "25P04", "57P01", "57P02", "57P03", "53300", "08006", "40003"]],
  ["refused", ["53100", "28P01", "3D000", "42501"]],
  ["missing", ["42P01", "3F000"]],
  ["broken", ["XX001", "58030"]],
  ["other", ["23505", "23514", "42601"]],
])("an error of the server is %s by its SQLSTATE", (failure, states) => {
  for (const state of states) {
    expect(sqlState(ofServer(state))).toBe(state);
    expect([state, postgresFailure(ofServer(state))]).toEqual([state, failure]);
  }
});

test("an error of the connection is lost, whatever its code looks like", () => {
  const errors = [
    // Five capital letters, like a SQLSTATE.
    Object.assign(new Error("write EPIPE"), { code: "EPIPE" }),
    Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }),
    new Error("Connection terminated unexpectedly"),
    new Error("Query read timeout"),
    new Error("Client has encountered a connection error and is not queryable"),
    new RefusedServer("the server is a standby"),
    new UnreachableServer("no answer"),
  ];
  for (const error of errors)
    expect([error.message, sqlState(error), postgresFailure(error)]).toEqual([error.message, "", "lost"]);
});

test("an error is explained without the password, and another one stays as it is", () => {
  for (const error of [ofServer("28P01"), ofServer("57P03"), new UnreachableServer("no answer")]) {
    const { message } = explained(url, error) as Error;
    expect(message).toContain("postgres://bazaar@db.example/bazaar");
    expect(message).not.toContain("secret");
  }
  const other = new Error("no room");
  expect(explained(url, other)).toBe(other);
});
