/** Directed cases of several catalogs on one ledger (R9, R11). */

import type { Ledger } from "@stock-bazaar/ledger/ledger";
import type { CatalogApi, TailRequest } from "@stock-bazaar/shared/api";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { createdAt, tradeOf } from "../../support/builders.ts";
import type { Life } from "../process.ts";
import { type Fate, passingCodes } from "../shared-server.ts";
import type { Settings } from "../world.ts";
import type { DirectedCase } from "./directed-case.ts";
import { calmMs, Story, stock } from "./story.ts";

const leaseMs = 500;
const silenceMs = 200;
/** Longer than a standby needs to be active and to have waited for all earlier leases. */
const takeoverMs = 2 * silenceMs + 1.15 * leaseMs + 500;
/** Longer than a catalog without calls keeps the ledger, and its callers need to find the other one. */
const unreachedMs = 10_000;
const [first, second] = ["catalog-1", "catalog-2"] as const;

/** Two catalogs, of which the first is active and the second a standby. */
function twoCatalogs(change: Partial<Settings> = {}): Story {
  const story = new Story({
    shared: { catalogs: 2, silenceMs, pace: 1, failover: false, limitsTransactions: false },
    leasesMs: [leaseMs],
    cacheSizes: [100, 100],
    ...change,
  });
  story.expect("the active catalog", story.world.catalog.name, first);
  return story;
}

/** Cuts a catalog off from everything but `kept`. */
function isolate(story: Story, catalog: string, ...kept: readonly string[]): void {
  const others = [...story.world.hosts.map(({ name }) => name), "database"];
  for (const name of others) if (name !== catalog && !kept.includes(name)) story.cut(catalog, name);
}

function hostOf(story: Story, name: string) {
  const host = story.world.catalogs.find((catalog) => catalog.name === name);
  if (!host) throw new Error(`there must be a ${name}`);
  return host;
}

/** Opens the ledger as a catalog does that takes it over. */
function stand(story: Story, name: string): { readonly ledger: Ledger; readonly life: Life } {
  const { sharedLedger } = story.world;
  const life = story.world.newLife(name);
  const caller = { name, life, timeoutMs: 3000 };
  const taking = sharedLedger?.takesOver(caller, () => {})(() => {}, new AbortController().signal);
  let taken: Ledger | undefined;
  void taking?.then(({ ledger }) => (taken = ledger));
  story.world.scheduler.runUntil(story.world.scheduler.nowMs + calmMs, () => taken !== undefined);
  if (!taken) throw new Error(`${name} must take the ledger over`);
  return { ledger: taken, life };
}

/** How a batch in one statement begins. */
const swap = "WITH same AS";

/**
 * Decides what becomes of the next statements that begin like one of these, one after the other. Returns what is left. The
 * rest of a transaction has been sent when its first change arrives.
 */
function strike(story: Story, starts: readonly string[], ...fates: readonly Fate[]): readonly Fate[] {
  const { server } = story.world.sharedLedger ?? {};
  if (!server) throw new Error("the catalogs must share a ledger");
  const left = [...fates];
  server.fate = (text) => (starts.some((start) => text.startsWith(start)) ? left.shift() : undefined);
  return left;
}

/** One purchase at the first catalog, and one at the second, which has taken over. The first is a standby again. */
function takenOverOnce(story: Story): void {
  story.expect("the order of a purchase", story.trade(), 1);
  const { life } = hostOf(story, first);
  life?.pause();
  story.pass(takeoverMs);
  story.expect("the active catalog", story.world.catalog.name, second);
  life?.resume();
  story.expect("the order of a purchase", story.trade({ frontEnd: 2, withinMs: 5000 }), 2);
  story.pass(calmMs);
}

/** The code with which a call is refused, or "done"; undefined while it is unanswered. */
function outcomeOf(call: Promise<unknown>): { code?: string } {
  const outcome: { code?: string } = {};
  call.then(
    () => (outcome.code = "done"),
    (error: unknown) => (outcome.code = BazaarError.from(error).code),
  );
  return outcome;
}

export const standbyCases: readonly DirectedCase[] = [
  {
    title: "a catalog whose epoch has passed changes nothing in the ledger",
    async run() {
      const story = twoCatalogs();
      story.expect("the order of a purchase", story.trade(), 1);
      for (const host of story.world.catalogs) story.world.kill(host);
      const { ledger: deposed, life } = stand(story, "deposed");
      const { term: now } = story.world.catalogStore;
      // Then it decides on what it remembers.
      outcomeOf(deposed.apply({ term: now, last: undefined, createdAt, trades: [tradeOf("before")] }));
      story.pass(calmMs);
      life.pause();
      stand(story, "active");
      life.resume();
      // Its connections were ended meanwhile. It must learn that from the register.
      story.pass(calmMs);
      const { term } = story.world.catalogStore;
      const write = { term, last: undefined, createdAt };
      const calls = {
        apply: deposed.apply({ ...write, trades: [tradeOf("late")] }),
        restock: deposed.restock({ ...write, quantity: 9, after: "", limit: 9 }),
        acquire: deposed.acquire({ replica: 1, term, last: undefined }),
        forget: deposed.forgetRejections(9, 9),
        leases: deposed.setLeases({ leaseMs: 1, endedCleanly: true }),
      };
      const outcomes = Object.entries(calls).map(([what, call]) => [what, outcomeOf(call)] as const);
      story.pass(calmMs);
      for (const [what, { code }] of outcomes) story.expect(`the answer to ${what}`, code, "NOT_ACTIVE");
      story.expect("the term", story.world.catalogStore.term, term);
      return story.end();
    },
  },
  {
    title: "a catalog that wakes after another one took over answers nothing and grants no lease",
    async run() {
      const story = twoCatalogs();
      story.expect("the order of a purchase", story.trade(), 1);
      const host = hostOf(story, first);
      const { service, life } = host;
      if (!service || !life) throw new Error("the catalog must run");
      const session = openSession(service);
      session.send("hello", 0);
      story.pass(50);
      story.expect("the answers to a hello", session.answers, 1);
      life.pause();
      story.pass(takeoverMs);
      story.expect("the active catalog", story.world.catalog.name, second);
      // Requests that waited for the frozen process.
      const late = openSession(service);
      const outcomes: (readonly [string, { code?: string }])[] = [];
      life.run(() => {
        session.send("renew", 1);
        late.send("hello", 0);
        outcomes.push(["acquire", outcomeOf(service.acquire({ replica: 1, term: 1, last: undefined }))]);
      });
      life.resume();
      story.pass(calmMs);
      for (const [what, { code }] of outcomes)
        story.expect(`the answer to ${what}`, code, "NOT_ACTIVE", "STORAGE_UNAVAILABLE");
      story.expect("the answers to a renewal", session.answers, 1);
      story.expect("the answers to a late hello", late.answers, 0);
      return story.end();
    },
  },
  ...(["lookup", "list", "register", "orders after"] as const).map((what) => ({
    title: `a catalog that doesn't know yet that another one took over doesn't answer: ${what}`,
    async run() {
      const story = twoCatalogs();
      const { service } = hostOf(story, first);
      if (!service) throw new Error("the catalog must run");
      const before = outcomeOf(callsOf[what](service));
      story.pass(calmMs);
      story.expect("the answer before", before.code, "done");
      isolate(story, first, "database");
      // Its statements arrive, their answers wait.
      story.world.network.cut("database", first);
      story.pass(takeoverMs);
      story.expect("the active catalog", story.world.catalog.name, second);
      const outcome = outcomeOf(callsOf[what](service));
      story.pass(50);
      story.world.network.heal("database", first);
      story.pass(calmMs);
      story.expect("the answer", outcome.code, "NOT_ACTIVE", "STORAGE_UNAVAILABLE");
      return story.end();
    },
  })),
  {
    title: "a lookup at a catalog that was cut off from the ledger is not answered from its memory",
    async run() {
      const story = twoCatalogs({ cacheSizes: [0, 0] });
      story.expect("the order of a purchase", story.trade(), 1);
      story.expect("the quantity", story.lookUp(), 99);
      isolate(story, first, "front-end-1");
      story.cut("front-end-1", second);
      story.pass(takeoverMs);
      story.expect("the order of a purchase elsewhere", story.trade({ frontEnd: 2, withinMs: 5000 }), 2);
      story.expect("I6: the quantity", story.lookUp({ withinMs: 1500 }), 98, undefined);
      return story.end();
    },
  },
  {
    title: "a proof that was sent before the request doesn't count",
    async run() {
      const story = twoCatalogs({ cacheSizes: [0, 0] });
      story.expect("the order of a purchase", story.trade(), 1);
      story.expect("the quantity", story.lookUp(), 99);
      isolate(story, first, "front-end-1", "database");
      story.cut("front-end-1", second);
      // Its statements arrive, their answers wait.
      story.world.network.cut("database", first);
      story.expect("a lookup", story.lookUp({ withinMs: 50 }), undefined);
      story.expect("the order of a purchase elsewhere", story.trade({ frontEnd: 2, withinMs: 1700 }), 2);
      const late = story.asking();
      story.pass(50);
      story.world.network.heal("database", first);
      story.pass(200);
      story.expect("I6: the quantity", late(), 98, undefined);
      return story.end();
    },
  },
  {
    title: "a catalog that was cut off from the ledger renews no lease",
    async run() {
      const story = twoCatalogs();
      story.expect("the order of a purchase", story.trade(), 1);
      story.pass(calmMs);
      story.expect("the quantity", story.lookUp(), 99);
      isolate(story, first, "front-end-1");
      story.cut("front-end-1", second);
      story.expect("the order of a purchase elsewhere", story.trade({ frontEnd: 2, withinMs: 5000 }), 2);
      story.expect("I6: the quantity", story.lookUp({ withinMs: 1000 }), 98, undefined);
      return story.end();
    },
  },
  {
    title: "a catalog that takes over again waits for the leases of the one before",
    async run() {
      const story = twoCatalogs();
      takenOverOnce(story);
      story.expect("the quantity", story.lookUp(), 98);
      story.cut("front-end-1", first);
      story.cut("front-end-1", second);
      story.world.kill(hostOf(story, second));
      story.expect("the order of a purchase", story.trade({ frontEnd: 2, withinMs: 5000 }), 3);
      story.expect("I6: the quantity", story.lookUp({ withinMs: 100 }), 97, undefined);
      story.expect("the active catalog", story.world.catalog.name, first);
      return story.end();
    },
  },
  {
    title: "a catalog that takes over again has forgotten the stocks",
    async run() {
      const story = twoCatalogs({ cacheSizes: [0, 0] });
      takenOverOnce(story);
      story.world.kill(hostOf(story, second));
      story.pass(takeoverMs);
      story.expect("the active catalog", story.world.catalog.name, first);
      story.expect("I6: the quantity", story.lookUp(), 98);
      return story.end();
    },
  },
  {
    title: "a change reaches the caches if neither its COMMIT nor that of the proof after it was answered",
    async run() {
      const story = twoCatalogs({
        shared: { catalogs: 2, silenceMs: 2000, pace: 1, failover: true, limitsTransactions: true },
      });
      story.expect("the order of a purchase", story.trade(), 1);
      story.pass(calmMs);
      story.expect("the quantity", story.lookUp(), 99);
      const left = strike(story, [swap, "COMMIT"], "unanswered", "unanswered");
      story.expect("the order of the purchase", story.trade({ frontEnd: 2 }), 2);
      story.expect("the fates that are left", left.length, 0);
      story.expect("the head", story.world.catalogStore.head, 2);
      story.expect("I6: the quantity", story.lookUp(), 98);
      return story.end();
    },
  },
  {
    title: "a change whose COMMIT was not answered reaches the caches",
    async run() {
      const story = twoCatalogs({
        shared: { catalogs: 2, silenceMs: 2000, pace: 0.1, failover: false, limitsTransactions: true },
      });
      const { world } = story;
      story.expect("the order of a purchase", story.trade(), 1);
      story.pass(calmMs);
      story.expect("the quantity", story.lookUp(), 99);
      const bought = story.trading({ frontEnd: 2 });
      world.scheduler.runUntil(world.scheduler.nowMs + calmMs, () => world.catalogStore.head === 2);
      // Longer than the deadline of a query.
      world.network.cut("database", first);
      story.pass(300);
      world.network.heal("database", first);
      story.pass(calmMs);
      story.expect("the order of the purchase", bought(), 2);
      story.expect("I6: the quantity", story.lookUp(), 98);
      story.expect("the active catalog", world.catalog.name, first);
      return story.end();
    },
  },
  {
    title:
      "a catalog that no caller reaches leaves the ledger to one that they reach, and gets it back in the same way",
    async run() {
      const story = twoCatalogs();
      story.expect("the order of a purchase", story.trade(), 1);
      isolate(story, first, "database");
      story.expect("the order of a purchase", story.trade({ withinMs: unreachedMs }), 2);
      story.expect("the active catalog", story.world.catalog.name, second);
      story.world.network.healAll([]);
      isolate(story, second, "database");
      story.expect("the order of a purchase", story.trade({ withinMs: unreachedMs }), 3);
      story.expect("the active catalog", story.world.catalog.name, first);
      return story.end();
    },
  },
  {
    title: "a catalog that nobody calls keeps the ledger as long as it is reached",
    async run() {
      const story = twoCatalogs({ cacheSizes: [0, 0] });
      const { epoch } = story.world.sharedLedger?.server.tables.extra ?? {};
      story.pass(5 * unreachedMs);
      story.expect("the active catalog", story.world.catalog.name, first);
      story.expect("the epoch", story.world.sharedLedger?.server.tables.extra.epoch, epoch);
      return story.end();
    },
  },
  {
    title: "a trade that was sent as new twice, and whose second COMMIT was not answered, gets its first outcome",
    async run() {
      const story = twoCatalogs();
      const key = story.newKey();
      story.expect("the order of a purchase", story.trade({ key, minted: true }), 1);
      const left = strike(story, ["INSERT INTO ledger"], { code: "57P01" });
      story.expect("the order of the same purchase", story.trade({ key, minted: true, frontEnd: 2 }), 1);
      story.expect("the fates that are left", left.length, 0);
      story.expect("the order of another purchase", story.trade(), 2);
      return story.end();
    },
  },
  {
    title: "a transaction that fails for a reason that may pass is tried again",
    async run() {
      const story = twoCatalogs();
      for (const host of story.world.catalogs) story.world.kill(host);
      const { ledger } = stand(story, "alone");
      for (const start of ["SELECT term", "UPDATE register SET term", "COMMIT"]) {
        for (const code of passingCodes) {
          const left = strike(story, [start], { code });
          const outcome = outcomeOf(ledger.tryWrite());
          story.pass(calmMs);
          story.expect("the fates that are left", left.length, 0);
          story.expect(`the outcome after ${code} at ${start}`, outcome.code, "done");
        }
      }
      return story.end();
    },
  },
  {
    title: "a batch that is reported as not done isn't done later by a statement that was still on its way",
    async run() {
      const story = twoCatalogs();
      story.expect("the order of a purchase", story.trade(), 1);
      for (const host of story.world.catalogs) story.world.kill(host);
      const { ledger } = stand(story, "alone");
      const { term } = story.world.catalogStore;
      const apply = (key: string) => ledger.apply({ term, last: undefined, createdAt, trades: [tradeOf(key)] });
      const before = outcomeOf(apply("before"));
      story.pass(calmMs);
      // Longer than the deadline of a query.
      const left = strike(story, [swap], { lateMs: 4000 });
      const outcome = outcomeOf(apply("late"));
      story.pass(2 * calmMs);
      story.expect("the outcome before", before.code, "done");
      story.expect("the fates that are left", left.length, 0);
      story.expect("the outcome", outcome.code, "STORAGE_UNAVAILABLE");
      story.expect("the head", story.world.catalogStore.head, 2);
      return story.end();
    },
  },
  {
    title: "a connection on which nothing arrives any more is replaced",
    async run() {
      const story = twoCatalogs({
        shared: { catalogs: 2, silenceMs: 2000, pace: 0.1, failover: false, limitsTransactions: true },
      });
      story.expect("the order of a purchase", story.trade(), 1);
      story.world.sharedLedger?.server.silence();
      story.expect("the order of a purchase", story.trade(), 2);
      story.expect("the active catalog", story.world.catalog.name, first);
      return story.end();
    },
  },
  {
    title: "a frozen catalog for which the server keeps the register locked is succeeded",
    async run() {
      const story = twoCatalogs();
      const { scheduler, sharedLedger } = story.world;
      story.expect("the order of a purchase", story.trade(), 1);
      const bought = story.trading({ frontEnd: 2 });
      scheduler.runUntil(scheduler.nowMs + calmMs, () => sharedLedger?.server.lockHolder === first);
      sharedLedger?.server.stick();
      hostOf(story, first).life?.pause();
      story.pass(takeoverMs);
      story.expect("the active catalog", story.world.catalog.name, second);
      story.pass(calmMs);
      story.expect("the order of the purchase", bought(), 2);
      return story.end();
    },
  },
  {
    title: "the leader leads on when another catalog takes over",
    async run() {
      const story = twoCatalogs();
      story.expect("the order of a purchase", story.trade(), 1);
      const { term } = story.world.catalogStore;
      const { life } = hostOf(story, first);
      life?.pause();
      story.expect("a purchase", story.trade({ withinMs: 1.7 * silenceMs }), undefined);
      story.expect("the active catalog", story.world.catalog.name, second);
      life?.resume();
      // Meanwhile it was sent again.
      story.pass(calmMs);
      story.expect("the order of a purchase", story.trade({ frontEnd: 2, withinMs: 5000 }), 3);
      story.expect("the term", story.world.catalogStore.term, term);
      return story.end();
    },
  },
];

const callsOf = {
  lookup: (catalog: CatalogApi) => catalog.lookup([stock]),
  list: (catalog: CatalogApi) => catalog.stocks({ start: "", inclusive: true, limit: 9 }),
  register: (catalog: CatalogApi) => catalog.register(),
  "orders after": (catalog: CatalogApi) => catalog.ordersAfter(0, 9),
};

/** A front-end's session without a front-end. */
function openSession(catalog: CatalogApi) {
  let answers = 0;
  const id = `session-${Math.random()}`;
  const stream = catalog.tail({
    message: ({ sequence }) => {
      if (sequence >= 0) answers += 1;
    },
    ended() {},
  });
  return {
    get answers() {
      return answers;
    },
    send(kind: TailRequest["kind"], sequence: number) {
      stream.send({
        session: id,
        kind,
        acked: 0,
        sequence,
        replaces: "",
        address: "",
        dialect: "bazaar",
        seen: undefined,
        leaseMs: 0,
        leaseLife: "",
      });
    },
  };
}
