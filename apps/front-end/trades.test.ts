import type { Outcome, Seen, Trade } from "@stock-bazaar/shared/domain";
import { BazaarError, type ErrorCode } from "@stock-bazaar/shared/errors";
import { silentLogger } from "@stock-bazaar/process/log";
import { describe, expect, test } from "vitest";
import { accepted, tradeOf, tradesOf } from "../../test/support/builders.ts";
import { FakeRegister, FakeReplica } from "../../test/support/fake-cluster.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe } from "../../test/support/observe.ts";
import { LeaderChoice } from "./leader-choice.ts";
import { Replicas } from "./replicas.ts";
import { SeenLedger } from "./seen-ledger.ts";
import { Trades } from "./trades.ts";

const requestTimeoutMs = 10_000;

/** A front-end with a leader, replica 3. `ledger` holds each key that was traded. */
async function scenario() {
  const clock = new ManualClock();
  const register = new FakeRegister();
  const ledger = new Map<string, number>();
  const fakes = [1, 2, 3].map((id) => new FakeReplica(id, clock, register, ledger));
  const fake = (id: number) => {
    const found = fakes[id - 1];
    if (!found) throw new Error(`no replica ${id}`);
    return found;
  };
  const replicas = new Replicas({
    apis: new Map(fakes.map(({ id, api }) => [id, api])),
    clock,
    random: () => 0,
    logger: silentLogger,
    changed: (id, status) => choice.statusChanged(id, status),
  });
  const seenLedger = new SeenLedger();
  const choice: LeaderChoice = new LeaderChoice({
    catalog: register,
    replicas,
    ledger: seenLedger,
    clock,
    random: () => 0,
    logger: silentLogger,
  });
  // The front-end isn't alone unless a test changes this.
  const settlement = { alone: false, settled: async (_ledger: Seen) => false };
  const trades = new Trades({ choice, settlement, ledger: seenLedger, clock, requestTimeoutMs });
  replicas.start();
  choice.start();
  await clock.advance(1000);
  const place = (trade: Trade, minted = true) => observe(trades.place(trade, minted));
  const sentTo = (id: number) => fake(id).batches.flatMap((batch) => batch.map(({ key }) => key));
  return { clock, register, ledger, fake, choice, settlement, trades, place, sentTo };
}

/** Rejects the first batches with this error, then answers as usual. */
function failing(fake: FakeReplica, code: ErrorCode, times = 1): void {
  const usual = fake.answerTrades;
  let left = times;
  fake.answerTrades = (trades) => {
    left -= 1;
    return left >= 0 ? Promise.reject(new BazaarError(code, "as the test asked")) : usual(trades);
  };
}

test("a trade is sent to the leader and resolves with its outcome", async () => {
  const { clock, place, sentTo } = await scenario();
  const trade = place(tradeOf("a"));
  await clock.flush();
  expect(trade.value).toEqual(accepted(1));
  expect([1, 2, 3].map(sentTo)).toEqual([[], [], ["a"]]);
});

test("trades that are placed in one turn leave in two batches, in flight at once", async () => {
  const { clock, fake, place } = await scenario();
  const placed = tradesOf("a", 500).map((trade) => place(trade));
  await clock.flush();
  expect(fake(3).batches.map((batch) => batch.length)).toEqual([250, 250]);
  expect(placed.every(({ state }) => state === "resolved")).toBe(true);
});

test("the leader dies after the trade: the same key is sent to the next, which returns the first outcome", async () => {
  const { clock, fake, place, sentTo, ledger } = await scenario();
  const usual = fake(3).answerTrades;
  fake(3).answerTrades = async (trades) => {
    await usual(trades);
    return new Promise<Outcome[]>(() => {});
  };
  const trade = place(tradeOf("a"));
  await clock.flush();
  expect([...ledger]).toEqual([["a", 1]]);
  fake(3).kill();
  await clock.advance(100);
  expect(trade.value).toEqual(accepted(1, true));
  expect(sentTo(2)).toEqual(["a"]);
  expect(ledger.size).toBe(1);
});

test("the leader dies before the trade: the trade is executed once, by the next", async () => {
  const { clock, fake, place, ledger } = await scenario();
  fake(3).answerTrades = () => new Promise(() => {});
  const trade = place(tradeOf("a"));
  await clock.flush();
  fake(3).kill();
  await clock.advance(100);
  expect(trade.value).toEqual(accepted(1));
  expect(ledger.size).toBe(1);
});

test("the leader freezes: the trade moves to the next within a second, long before the deadline of the call", async () => {
  const { clock, fake, place } = await scenario();
  fake(3).wire.freeze();
  const trade = place(tradeOf("a"));
  await clock.advance(1000);
  expect(trade.value).toEqual(accepted(1));
});

test("the leader answers NOT_LEADER: it is given up, and the trade is sent to the next leader", async () => {
  const { clock, fake, place, choice } = await scenario();
  fake(3).role = "follower";
  const trade = place(tradeOf("a"));
  // Sooner than the next status.
  await clock.advance(40);
  expect(trade.state).toBe("resolved");
  expect(choice.term).toBe(2);
});

test("the catalog doesn't answer the leader: the trade is retried, and the leader stays", async () => {
  const { clock, fake, place, choice } = await scenario();
  const leader = choice.leader;
  failing(fake(3), "DEPENDENCY_UNAVAILABLE", 3);
  const trade = place(tradeOf("a"));
  await clock.advance(200);
  expect(trade.value).toEqual(accepted(1));
  expect(fake(3).batches).toHaveLength(4);
  expect(choice.leader).toBe(leader);
});

test.each(["OVERLOADED", "INVALID_REQUEST", "INTERNAL_ERROR"] as const)(
  "%s from the leader is thrown at once, without a retry",
  async (code) => {
    const { clock, fake, place } = await scenario();
    failing(fake(3), code);
    const trade = place(tradeOf("a"));
    await clock.flush();
    expect(trade.code).toBe(code);
    expect(fake(3).batches).toHaveLength(1);
  },
);

test("a rejection is an outcome, not an error", async () => {
  const { clock, fake, place } = await scenario();
  const rejected: Outcome = { status: "rejected", reason: "INSUFFICIENT_QUANTITY", replayed: false };
  fake(3).answerTrades = async () => [rejected];
  const trade = place(tradeOf("a"));
  await clock.flush();
  expect(trade.value).toEqual(rejected);
});

test("without a live replica, a trade waits for one; if there is none in time, its outcome is unknown", async () => {
  const { clock, fake, place, ledger } = await scenario();
  for (const id of [1, 2, 3]) fake(id).kill();
  await clock.flush();
  const lost = place(tradeOf("lost"));
  await clock.advance(requestTimeoutMs - 1);
  const waiting = place(tradeOf("waiting"));
  await clock.advance(1);
  expect(lost.code).toBe("UNAVAILABLE");
  fake(1).restart();
  await clock.advance(1000);
  expect(waiting.state).toBe("resolved");
  expect([...ledger.keys()]).toEqual(["waiting"]);
});

test("if a leader never answers, a trade is rejected with UNAVAILABLE exactly at its deadline", async () => {
  const { clock, fake, place } = await scenario();
  for (const id of [1, 2, 3]) fake(id).answerTrades = () => new Promise(() => {});
  const trade = place(tradeOf("a"));
  await clock.advance(requestTimeoutMs - 1);
  expect(trade.state).toBe("pending");
  await clock.advance(1);
  expect(trade.code).toBe("UNAVAILABLE");
});

test("too many waiting trades are refused at once; after the answers, trades are accepted again", async () => {
  const { clock, fake, place } = await scenario();
  const usual = fake(3).answerTrades;
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  fake(3).answerTrades = async (trades) => {
    await opened;
    return usual(trades);
  };
  const taken = tradesOf("a", 10_000).map((trade) => place(trade));
  const atOnce = place(tradeOf("one too many"));
  await clock.flush();
  expect(atOnce.code).toBe("OVERLOADED");
  // Trades that were already sent to the leader still count.
  const afterwards = place(tradeOf("one too many"));
  await clock.flush();
  expect(afterwards.code).toBe("OVERLOADED");
  open();
  await clock.flush();
  expect(taken.every(({ state }) => state === "resolved")).toBe(true);
  const next = place(tradeOf("next"));
  await clock.flush();
  expect(next.state).toBe("resolved");
});

test("when the leader dies, each of a thousand trades gets one outcome and one order", async () => {
  const { clock, fake, place, ledger } = await scenario();
  const usual = fake(3).answerTrades;
  let batches = 0;
  fake(3).answerTrades = async (trades) => {
    batches += 1;
    const outcomes = await usual(trades);
    // The answer to every second batch is lost.
    return batches % 2 === 0 ? new Promise(() => {}) : outcomes;
  };
  const placed = [];
  for (const trade of tradesOf("a", 1000)) {
    placed.push(place(trade));
    if (placed.length % 100 === 0) await clock.advance(1);
    if (placed.length === 600) fake(3).kill();
  }
  await clock.advance(500);
  const ids = placed.map(({ value }) => (value?.status === "accepted" ? value.orderId : 0));
  expect(new Set(ids).size).toBe(1000);
  expect(Math.min(...ids)).toBe(1);
  expect(ledger.size).toBe(1000);
});

describe("settlement (R7)", () => {
  test("a front-end that isn't alone makes the leader wait for it", async () => {
    const { clock, fake, settlement, place } = await scenario();
    settlement.settled = () => Promise.reject(new Error("must not be called"));
    const trade = place(tradeOf("a"));
    await clock.flush();
    expect(trade.value).toEqual(accepted(1));
    expect(fake(3).callersSettle).toEqual([false]);
  });

  test("a front-end that is alone waits for it up to the head at which the trade was decided", async () => {
    const { clock, fake, ledger, settlement, place } = await scenario();
    for (let id = 1; id <= 6; id += 1) ledger.set(`earlier-${id}`, id);
    settlement.alone = true;
    let settle = (_isSettled: boolean) => {};
    const asked: Seen[] = [];
    settlement.settled = ({ life, head }) => {
      asked.push({ life, head });
      return new Promise((resolve) => (settle = resolve));
    };
    const trade = place(tradeOf("a"));
    await clock.advance(1000);
    expect([trade.state, asked, fake(3).callersSettle]).toEqual(["pending", [{ life: "life", head: 7 }], [true]]);
    settle(true);
    await clock.flush();
    expect(trade.value).toEqual(accepted(7));
  });

  test("if the front-end can't settle any more, an empty call makes the leader wait; the outcome stays the first one", async () => {
    const { clock, fake, settlement, place } = await scenario();
    settlement.alone = true;
    const usual = fake(3).answerTrades;
    let settle = () => {};
    fake(3).answerTrades = async (trades) => {
      if (trades.length === 0) await new Promise<void>((resolve) => (settle = resolve));
      return usual(trades);
    };
    const trade = place(tradeOf("a"));
    await clock.advance(1000);
    expect([trade.state, fake(3).batches.length, fake(3).callersSettle]).toEqual(["pending", 2, [true, false]]);
    settle();
    await clock.flush();
    expect(trade.value).toEqual(accepted(1));
  });

  test("if the leader freezes during that call, the same key is sent to the next within a second", async () => {
    const { clock, fake, settlement, place } = await scenario();
    settlement.alone = true;
    settlement.settled = async () => {
      settlement.alone = false;
      fake(3).wire.freeze();
      return false;
    };
    const trade = place(tradeOf("a"));
    await clock.advance(1000);
    expect(trade.value).toEqual(accepted(1, true));
  });

  test("if that call fails, the same key is sent again", async () => {
    const { clock, fake, ledger, settlement, place, sentTo } = await scenario();
    settlement.alone = true;
    settlement.settled = async () => {
      settlement.alone = false;
      fake(3).kill();
      return false;
    };
    const trade = place(tradeOf("a"));
    await clock.advance(1000);
    expect(trade.value).toEqual(accepted(1, true));
    expect([sentTo(3), sentTo(2), ledger.size]).toEqual([["a"], ["a"], 1]);
  });
});

describe("the mark of a minted key (R3)", () => {
  test("only the first send is marked, whatever the answer to it was", async () => {
    const { clock, fake, place } = await scenario();
    failing(fake(3), "DEPENDENCY_UNAVAILABLE", 3);
    const trade = place(tradeOf("a"));
    await clock.advance(200);
    expect(trade.value).toEqual(accepted(1));
    expect(fake(3).minted).toEqual([true, false, false, false]);
  });

  test("a call is marked only if it marks each of its trades", async () => {
    const { clock, fake, place } = await scenario();
    for (const key of ["a", "b"]) place(tradeOf(key));
    await clock.flush();
    place(tradeOf("c"));
    place(tradeOf("given"), false);
    await clock.flush();
    expect(fake(3).minted).toEqual([true, false]);
  });

  test("a send to the next leader isn't marked: the former leader may have traded", async () => {
    const { clock, fake, place } = await scenario();
    fake(3).answerTrades = () => new Promise(() => {});
    const trade = place(tradeOf("a"));
    await clock.flush();
    fake(3).kill();
    await clock.advance(100);
    expect(trade.value).toEqual(accepted(1));
    expect([fake(3).minted, fake(2).minted]).toEqual([[true], [false]]);
  });

  test("a first send that had to wait for a leader is marked", async () => {
    const { clock, fake, place } = await scenario();
    for (const id of [1, 2, 3]) fake(id).kill();
    await clock.flush();
    const trade = place(tradeOf("a"));
    await clock.advance(1000);
    fake(1).restart();
    await clock.advance(1000);
    expect(trade.state).toBe("resolved");
    expect(fake(1).minted).toEqual([true]);
  });

  test("a given key is never marked", async () => {
    const { clock, fake, place } = await scenario();
    failing(fake(3), "DEPENDENCY_UNAVAILABLE");
    place(tradeOf("a"), false);
    await clock.advance(200);
    expect(fake(3).minted).toEqual([false, false]);
  });
});
