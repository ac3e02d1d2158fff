/** Notices that a server has failed over or was restored: its history then has another timeline. */

import { advice } from "@stock-bazaar/process/advice";
import type { Connection } from "./connection.ts";
import { bothTimelines } from "./schema.ts";
import { sqlState } from "./sql-state.ts";

const note = { text: "UPDATE register SET timeline = $1 WHERE timeline = $2" };

/** Warns of each change once. A server that doesn't tell its timeline, or not to this user, is no reason to fail. */
export async function noteTimeline(connection: Connection, warn: (text: string) => void): Promise<void> {
  let found: { before: number; now: number } | undefined;
  try {
    found = (await connection.query<{ before: number; now: number }>(bothTimelines)).rows[0];
  } catch (error) {
    if (sqlState(error) === "") throw error;
  }
  if (found === undefined || found.before === found.now) return;
  const { count } = await connection.query(note, [found.now, found.before]);
  if (found.before === 0 || count === 0) return;
  warn(
    `the server's timeline must stay ${found.before} (got ${found.now}): it has failed over or was restored; ${advice.verify}`,
  );
}
