import type { Ledger } from "@stock-bazaar/ledger/ledger";
import type { Stand, TakeOver } from "@stock-bazaar/ledger/store";
import { silentLogger } from "@stock-bazaar/process/log";
import type { TailReply } from "@stock-bazaar/shared/api";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { expect, test } from "vitest";
import { allStocks, callOf, stockOf, tailRequestOf, tradeOf } from "../../test/support/builders.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe, rejectionCode } from "../../test/support/observe.ts";
import { memoryLedger } from "../../test/support/order-cluster.ts";
import { recorder } from "../../test/support/streams.ts";
import { StandbyCatalog } from "./standby.ts";

const leaseMs = 500;
const takenOver = new BazaarError("NOT_ACTIVE", "another catalog has taken it over");

/** A catalog that waits for its ledger; `takesOver` gives it one, as often as it asks for one. */
async function setUp() {
  const clock = new ManualClock();
  const events: string[] = [];
  const fatal: unknown[] = [];
  /** The attempt under way. */
  let attempt: {
    ended: (reason: BazaarError) => void;
    resolve: (stand: Stand) => void;
    reject: (error: unknown) => void;
  };
  const takeOver: TakeOver = (ended, signal) => {
    events.push("waits");
    return new Promise((resolve, reject) => {
      attempt = { ended, resolve, reject };
      signal.addEventListener("abort", () => reject(new BazaarError("UNAVAILABLE", "stopping")));
    });
  };
  const catalog = new StandbyCatalog({
    clock,
    logger: silentLogger,
    leaseMs,
    takeOver,
    changed: (isActive) => events.push(isActive ? "active" : "standby"),
    fatal: (error) => fatal.push(error),
  });
  catalog.start();
  await clock.flush();
  const takesOver = async (change: Partial<Ledger> = {}) => {
    const memory = memoryLedger([stockOf("GameStart", { quantity: 100 })]);
    const ledger: Ledger = {
      ...memory,
      setLeases: async (leases) => {
        if (leases.endedCleanly) events.push("ended cleanly");
        await memory.setLeases(leases);
      },
      close: async () => void events.push("closed"),
      ...change,
    };
    const { ended } = attempt;
    attempt.resolve({ ledger, release: async () => void events.push("released") });
    await clock.flush();
    return { ledger, ended };
  };
  const fails = async (error: unknown) => {
    attempt.reject(error);
    await clock.flush();
  };
  const since = () => events.splice(0);
  since();
  return { clock, catalog, takesOver, fails, since, fatal };
}

/** Every call, made now. */
function allCalls(catalog: StandbyCatalog): Promise<unknown>[] {
  return [
    catalog.apply({ term: 0, last: undefined, calls: [callOf(tradeOf("key"))] }),
    catalog.restock({ term: 0, last: undefined, quantity: 9, after: "" }),
    catalog.settle(0),
    catalog.lookup(["GameStart"]),
    catalog.stocks(allStocks),
    catalog.ordersAfter(0, 9),
    catalog.register(),
    catalog.acquire({ replica: 3, term: 0, last: undefined }),
  ];
}

/** A front-end's session: its hello is sent. */
function session(catalog: StandbyCatalog, id: string) {
  const near = recorder<TailReply>();
  const stream = catalog.tail(near);
  stream.send(tailRequestOf(id, "hello", { address: id }));
  return { ...near, stream };
}

test("a standby answers every call with NOT_ACTIVE, and takes no hello", async () => {
  const { clock, catalog, since } = await setUp();
  for (const call of allCalls(catalog)) expect(await rejectionCode(call)).toBe("NOT_ACTIVE");
  const { messages, ends } = session(catalog, "session");
  await clock.advance(10_000);
  expect({ messages, ends }).toEqual({ messages: [], ends: ["NOT_ACTIVE"] });
  expect(since()).toEqual([]);
});

test("a catalog that has the ledger answers", async () => {
  const { clock, catalog, takesOver, since } = await setUp();
  await takesOver();
  expect(since()).toEqual(["active"]);
  expect(await catalog.register()).toMatchObject({ head: 0 });
  const { messages } = session(catalog, "session");
  await clock.flush();
  expect(messages).toMatchObject([{ sequence: 0, leaseMs }]);
});

test("when another one has taken the ledger over, what is open ends, nothing is recorded, and it stands by", async () => {
  const { clock, catalog, takesOver, since } = await setUp();
  const { ended } = await takesOver();
  await catalog.acquire({ replica: 3, term: 0, last: undefined });
  const { ends } = session(catalog, "session");
  await catalog.apply({ term: 1, last: undefined, calls: [callOf(tradeOf("key"))] });
  // Not settled yet: the leases of the one before may still run.
  const open = observe(catalog.settle(1));
  await clock.flush();
  expect(open.state).toBe("pending");
  since();
  ended(takenOver);
  const late = allCalls(catalog).map(rejectionCode);
  await clock.flush();
  expect(since()).toEqual(["standby", "closed", "released", "waits"]);
  expect(open).toMatchObject({ state: "rejected", code: "NOT_ACTIVE" });
  expect(ends).toEqual(["NOT_ACTIVE"]);
  for (const code of await Promise.all(late)) expect(code).toBe("NOT_ACTIVE");
});

test("each stand begins without the sessions and the ledger of the one before, and waits for earlier leases", async () => {
  const { clock, catalog, takesOver, since } = await setUp();
  const first = await takesOver();
  await catalog.acquire({ replica: 3, term: 0, last: undefined });
  await catalog.apply({ term: 1, last: undefined, calls: [callOf(tradeOf("key"))] });
  session(catalog, "front-end:1");
  await clock.advance(2 * leaseMs);
  first.ended(takenOver);
  await clock.flush();
  await takesOver();
  since();
  expect(await catalog.register()).toMatchObject({ head: 0, term: 0 });
  const { messages } = session(catalog, "front-end:2");
  await clock.flush();
  expect(messages.at(-1)?.frontEnds).toEqual([{ address: "front-end:2", live: true, dialect: "" }]);

  await catalog.acquire({ replica: 3, term: 0, last: undefined });
  const { head } = await catalog.apply({ term: 1, last: undefined, calls: [callOf(tradeOf("key"))] });
  const settled = observe(catalog.settle(head));
  await clock.advance(leaseMs);
  expect(settled.state).toBe("pending");
  await clock.advance(leaseMs);
  expect(settled.state).toBe("resolved");
  // The former one's end is over.
  first.ended(takenOver);
  await clock.flush();
  expect(since()).toEqual([]);
});

test("a stand that ends while it begins never answers", async () => {
  const { clock, catalog, takesOver, since } = await setUp();
  const reading = Promise.withResolvers<undefined>();
  const { ended } = await takesOver({ checkpoint: () => reading.promise });
  ended(takenOver);
  reading.resolve(undefined);
  await clock.flush();
  expect(since()).toEqual(["closed", "released", "waits"]);
  expect(await rejectionCode(catalog.register())).toBe("NOT_ACTIVE");
});

test("a ledger that can't be used after its takeover is released, and tried again", async () => {
  const { clock, takesOver, since, fatal } = await setUp();
  const { ended } = await takesOver({
    leases: () => Promise.reject(new BazaarError("STORAGE_UNAVAILABLE", "no answer")),
  });
  expect(since()).toEqual(["closed"]);
  await clock.advance(100);
  expect(since()).toEqual(["released", "waits"]);
  await takesOver();
  // Late news of the attempt that failed.
  ended(takenOver);
  await clock.flush();
  expect(since()).toEqual(["active"]);
  expect(fatal).toEqual([]);
});

test("any other failure ends the process, which leaves the ledger to others", async () => {
  const broken = new Error("a bug");
  const begun = await setUp();
  await begun.takesOver({ leases: () => Promise.reject(broken) });
  expect(begun.since()).toEqual(["closed", "released"]);
  expect(begun.fatal).toEqual([broken]);
  const waiting = await setUp();
  await waiting.fails(broken);
  expect(waiting.fatal).toEqual([broken]);
});

test("a standby that stops leaves nothing behind", async () => {
  const { clock, catalog, since, fatal } = await setUp();
  await catalog.stop();
  expect({ events: since(), fatal, timers: clock.timers }).toEqual({ events: [], fatal: [], timers: 0 });
});

test("an active catalog that stops records a clean end, closes the ledger, and then releases it", async () => {
  const { clock, catalog, takesOver, since, fatal } = await setUp();
  await takesOver();
  await clock.advance(2 * leaseMs);
  const { ends } = session(catalog, "session");
  catalog.endTails();
  expect(ends).toEqual(["UNAVAILABLE"]);
  await clock.advance(2 * leaseMs);
  since();
  await catalog.stop();
  expect(since()).toEqual(["standby", "ended cleanly", "closed", "released"]);
  expect({ fatal, timers: clock.timers }).toEqual({ fatal: [], timers: 0 });
});

test("a catalog that no caller reaches gives the ledger up, and leaves it to others for half a second", async () => {
  const { clock, catalog, takesOver, since } = await setUp();
  await takesOver();
  const near = session(catalog, "session");
  since();
  for (let second = 0; second < 10; second += 1) {
    if (second < 5) await catalog.register();
    else near.stream.send(tailRequestOf("session", "renew", { sequence: second }));
    await clock.advance(1000);
  }
  expect(since()).toEqual([]);
  await clock.advance(3000);
  expect(since()).toEqual(["standby", "closed", "released"]);
  expect(await rejectionCode(catalog.register())).toBe("NOT_ACTIVE");
  await clock.advance(499);
  expect(since()).toEqual([]);
  await clock.advance(1);
  expect(since()).toEqual(["waits"]);
  await takesOver();
  expect(since()).toEqual(["active"]);
});
