/**
 * A COMMIT that waits for a synchronous standby which isn't there. If it is told to stop waiting, PostgreSQL warns, and
 * calls it done: a failover may still lose it.
 */

import { eventually } from "@stock-bazaar/cluster/wait";
import { expect, onTestFinished, test } from "vitest";
import { accepted, createdAt, tradeOf } from "../../../test/support/builders.ts";
import { rejectionCode } from "../../../test/support/observe.ts";
import { makeLedLedger } from "../../../test/support/led-ledger.ts";
import { newPostgresDatabase, runSql, waitingForStandby } from "../../../test/support/postgres.ts";
import { forService, forTools } from "./connection-use.ts";
import { connectTo } from "./hosts.ts";
import { postgresLedgerStore } from "./postgres-store.ts";

/** A ledger with one stock, led since term 1, and a server that is told of a standby. */
async function led(failover: boolean) {
  const url = await newPostgresDatabase();
  const store = postgresLedgerStore(url, { failover });
  const { ledger, broken } = await makeLedLedger(store);
  return { url, ledger, broken };
}

async function nameStandby(url: string): Promise<void> {
  onTestFinished(() => forgetStandby(url));
  await runSql(url, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
  await runSql(url, "SELECT pg_reload_conf()");
  // The server follows its settings a moment later.
  await eventually("the server waits for its standby", async () => {
    const connection = await connectTo(url, { ...forTools, queryMsMax: 100 });
    try {
      await connection.query({ text: "UPDATE register SET head = head" });
      return false;
    } catch {
      return true;
    } finally {
      connection.abandon();
    }
  });
  for (const pid of await waitingForStandby(url)) await runSql(url, `SELECT pg_terminate_backend(${pid})`);
}

async function forgetStandby(url: string): Promise<void> {
  await runSql(url, "ALTER SYSTEM RESET synchronous_standby_names");
  await runSql(url, "SELECT pg_reload_conf()");
}

/** Tells the next COMMIT that waits for the standby to stop waiting. */
async function cancelWait(url: string): Promise<void> {
  let [pid] = await waitingForStandby(url);
  await eventually("a COMMIT waits", async () => {
    [pid] = await waitingForStandby(url);
    return pid !== undefined;
  });
  await runSql(url, `SELECT pg_cancel_backend(${pid})`);
  await eventually("it waits no longer", async () => !(await waitingForStandby(url)).includes(pid ?? 0));
}

const batch = { term: 1, last: undefined, trades: [tradeOf("a")], createdAt };

test("where the server may fail over, an order is reported once a later write has reached the standby", async () => {
  const { url, ledger, broken } = await led(true);
  await nameStandby(url);
  let isReported = false;
  const change = ledger.apply(batch).finally(() => (isReported = true));
  // The batch's own COMMIT, then those of the proofs.
  for (let count = 0; count < 3; count += 1) await cancelWait(url);
  expect(isReported).toBe(false);
  await forgetStandby(url);
  expect(await change).toMatchObject({ outcomes: [accepted(1)], orders: [{ id: 1, key: "a" }], head: 1 });
  expect(broken).toEqual([]);
});

test("elsewhere it is reported once the register shows it", async () => {
  const { url, ledger, broken } = await led(false);
  await nameStandby(url);
  const change = ledger.apply(batch);
  await cancelWait(url);
  expect(await change).toMatchObject({ outcomes: [accepted(1)], orders: [{ id: 1, key: "a" }], head: 1 });
  expect(broken).toEqual([]);
});

test("where the server may fail over, it refuses nothing that isn't proven", async () => {
  const { url, ledger } = await led(true);
  expect(await rejectionCode(ledger.apply({ ...batch, term: 0 }))).toBe("FENCED");
  await nameStandby(url);
  expect(await rejectionCode(ledger.apply({ ...batch, term: 0 }))).toBe("STORAGE_UNAVAILABLE");
});

test.each([
  ["service", forService],
  ["tool", forTools],
])("a %s's statement whose wait ends is no answer, and its connection is lost", async (_what, use) => {
  const { url } = await led(false);
  await nameStandby(url);
  const connection = await connectTo(url, use);
  onTestFinished(() => connection.close());
  const written = connection.query({ text: "UPDATE register SET head = head" });
  const refused = written.catch((error: Error) => error.message);
  await cancelWait(url);
  expect(await refused).toContain("the server must wait for its synchronous standby (it was told not to)");
  expect(connection.isLost).toBe(true);
});
