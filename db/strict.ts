/**
 * Makes the tables of a generated migration STRICT, which drizzle-kit can't. In a table that isn't STRICT, SQLite
 * stores the text "ten" in an integer column without an error.
 */

const statementBreak = "--> statement-breakpoint";

/** Adds STRICT to every CREATE TABLE statement that lacks it. */
export function makeTablesStrict(migration: string): string {
  return migration.split(statementBreak).map(makeStatementStrict).join(statementBreak);
}

function makeStatementStrict(statement: string): string {
  if (!/^\s*CREATE TABLE\b/i.test(statement)) return statement;
  return statement.replace(/\)\s*;?(\s*)$/, ") STRICT;$1");
}
