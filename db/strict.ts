/**
 * Makes the tables of a generated migration STRICT. drizzle-kit can't, and in a table that isn't, SQLite stores the
 * text "ten" in a column of integers without a word.
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
