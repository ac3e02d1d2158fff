import type { Logger } from "@stock-bazaar/process/log";
import { silentLogger } from "@stock-bazaar/process/log";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { type AskedReplica, isNewLedger, untilNoReplicaHasOrders } from "./new-ledger.ts";

const away = () => Promise.reject(new BazaarError("UNAVAILABLE", "no answer in 3000 ms"));
const replicaOf = (change: Partial<AskedReplica> = {}): AskedReplica => ({
  name: "replica 2 at order-2:6001",
  mustAnswer: true,
  lastId: async () => 0,
  ...change,
});

function begin(replicas: readonly AskedReplica[]) {
  const [clock, stopping, warnings] = [new ManualClock(), new AbortController(), [] as unknown[]];
  const logger: Logger = { ...silentLogger, warn: (...line: unknown[]) => void warnings.push(line.at(-1)) };
  let outcome = "waits";
  void untilNoReplicaHasOrders({ name: "the ledger", replicas, clock, logger, stopping: stopping.signal }).then(
    () => (outcome = "begins"),
    (error: unknown) => (outcome = `${(error as Error).name}: ${(error as Error).message}`),
  );
  return { clock, stopping, warnings, outcome: () => outcome };
}

test("a ledger is new until it has had a leader or an order", () => {
  expect(isNewLedger({ term: 0, head: 0 })).toBe(true);
  expect(isNewLedger({ term: 1, head: 0 })).toBe(false);
  expect(isNewLedger({ term: 0, head: 1 })).toBe(false);
});

test("it begins when every replica has told that it is empty", async () => {
  const { clock, outcome } = begin([replicaOf(), replicaOf()]);
  await clock.flush();
  expect(outcome()).toBe("begins");
});

test("it is refused beside a replica with orders, also if that isn't the first to answer", async () => {
  const { clock, outcome } = begin([
    replicaOf({ lastId: away }),
    replicaOf({ mustAnswer: false, lastId: async () => 12 }),
  ]);
  await clock.flush();
  expect(outcome()).toMatch(
    /^SetupError: the ledger is empty, but replica 2 at order-2:6001 holds 12 orders: name the ledger that belongs to/,
  );
});

test("it waits for a replica without a file here, says so once, and begins or is refused by its answer", async () => {
  let lastId: AskedReplica["lastId"] = away;
  const { clock, outcome, warnings } = begin([replicaOf(), replicaOf({ lastId: () => lastId() })]);
  await clock.advance(5000);
  expect(outcome()).toBe("waits");
  expect(warnings).toEqual([
    "the ledger is empty: it begins when replica 2 at order-2:6001 has told that it holds no order (no answer in 3000 ms)",
  ]);
  lastId = async () => 7;
  await clock.advance(1000);
  expect(outcome()).toContain("holds 7 orders");
});

test("it doesn't wait for one whose file here has told already", async () => {
  const { clock, outcome } = begin([replicaOf({ mustAnswer: false, lastId: away })]);
  await clock.flush();
  expect(outcome()).toBe("begins");
});

test("a stop ends the wait", async () => {
  const { clock, outcome, stopping } = begin([replicaOf({ lastId: away })]);
  await clock.flush();
  stopping.abort();
  await clock.advance(1000);
  expect(outcome()).toContain("stopped while it waited for replica 2");
});
