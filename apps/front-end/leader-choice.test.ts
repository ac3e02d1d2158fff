import type { Register, Seen } from "@stock-bazaar/shared/domain";
import { pause } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { silentLogger } from "@stock-bazaar/process/log";
import { describe, expect, test } from "vitest";
import { registerOf } from "../../test/support/builders.ts";
import { FakeRegister, FakeReplica } from "../../test/support/fake-cluster.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe } from "../../test/support/observe.ts";
import { LeaderChoice } from "./leader-choice.ts";
import { Replicas } from "./replicas.ts";
import { SeenLedger } from "./seen-ledger.ts";

/** Front-ends that watch the same three replicas. */
function scenario(options: { down?: readonly number[]; register?: Partial<Register> } = {}) {
  const clock = new ManualClock();
  const register = new FakeRegister();
  register.current = registerOf(options.register);
  const fakes = [1, 2, 3].map((id) => new FakeReplica(id, clock, register, new Map()));
  for (const id of options.down ?? []) fakes[id - 1]?.kill();
  const fake = (id: number) => {
    const found = fakes[id - 1];
    if (!found) throw new Error(`no replica ${id}`);
    return found;
  };
  const frontEnd = () => {
    const replicas = new Replicas({
      apis: new Map(fakes.map(({ id, api }) => [id, api])),
      clock,
      random: () => 0,
      logger: silentLogger,
      changed: (id, status) => choice.statusChanged(id, status),
    });
    const ledger = new SeenLedger();
    const choice: LeaderChoice = new LeaderChoice({
      catalog: register,
      replicas,
      ledger,
      clock,
      random: () => 0,
      logger: silentLogger,
    });
    replicas.start();
    choice.start();
    return { choice, leader: () => choice.leader?.id, ledger };
  };
  return { clock, register, fake, frontEnd, asked: () => fakes.map(({ asked }) => asked.length) };
}

/** Enough time for everything that happens without a fault. */
const calmMs = 3000;

test("at the first start, the live replica with the highest id leads, and every replica gets a hint", async () => {
  const { clock, register, fake, frontEnd } = scenario();
  const { choice, leader } = frontEnd();
  await clock.advance(calmMs);
  expect(leader()).toBe(3);
  expect(register.current).toMatchObject({ term: 1, leader: 3 });
  expect(choice.term).toBe(1);
  for (const id of [1, 2]) expect(fake(id).hints).toContainEqual({ term: 1, leader: 3 });
});

test("at the first start, the choice waits for replicas that start a moment later, so that the highest id leads", async () => {
  const { clock, fake, frontEnd, asked } = scenario({ down: [2, 3] });
  const { leader } = frontEnd();
  await clock.advance(600);
  expect(leader()).toBeUndefined();
  fake(2).restart();
  fake(3).restart();
  await clock.advance(600);
  expect(leader()).toBe(3);
  expect(asked()).toEqual([0, 0, 1]);
});

test("at the first start, the choice waits at most a second for replicas that don't start", async () => {
  const { clock, frontEnd } = scenario({ down: [3] });
  const { leader } = frontEnd();
  await clock.advance(900);
  expect(leader()).toBeUndefined();
  await clock.advance(500);
  expect(leader()).toBe(2);
});

test("when the leader is killed, the live replica with the highest id leads within 100 ms", async () => {
  const { clock, register, fake, frontEnd } = scenario();
  const { leader } = frontEnd();
  await clock.advance(calmMs);
  fake(3).kill();
  await clock.advance(100);
  expect(leader()).toBe(2);
  expect(register.current).toMatchObject({ term: 2, leader: 2 });
  fake(2).kill();
  await clock.advance(100);
  expect(leader()).toBe(1);
});

test("a leader stays when a replica with a higher id restarts", async () => {
  const { clock, register, fake, frontEnd } = scenario();
  const { leader } = frontEnd();
  await clock.advance(calmMs);
  fake(3).kill();
  await clock.advance(calmMs);
  fake(3).restart();
  await clock.advance(calmMs);
  expect(leader()).toBe(2);
  expect(register.current.term).toBe(2);
  expect(fake(3).asked).toHaveLength(1);
});

test("a frozen leader is replaced within a second, and not chosen again when it wakes up", async () => {
  const { clock, fake, frontEnd } = scenario();
  const { choice, leader } = frontEnd();
  await clock.advance(calmMs);
  fake(3).wire.freeze();
  await clock.advance(800);
  expect(leader()).toBe(2);
  // The old leader still reports that it leads.
  fake(3).wire.thaw();
  await clock.advance(calmMs);
  expect(leader()).toBe(2);
  expect(choice.term).toBe(2);
});

test("while no replica is live, none is asked to lead; the first that restarts leads", async () => {
  const { clock, fake, frontEnd } = scenario();
  const { leader } = frontEnd();
  await clock.advance(calmMs);
  for (const id of [1, 2, 3]) fake(id).kill();
  await clock.advance(calmMs);
  expect(leader()).toBeUndefined();
  fake(1).restart();
  await clock.advance(1000);
  expect(leader()).toBe(1);
});

test("a front-end that starts adopts the leader in the register, even if a replica with a higher id is live", async () => {
  const { clock, register, fake, frontEnd, asked } = scenario();
  fake(2).becomeLeader();
  const { choice, leader } = frontEnd();
  await clock.advance(calmMs);
  expect(leader()).toBe(2);
  expect([choice.term, register.current.term]).toEqual([1, 1]);
  expect(asked()[2]).toBe(0);
});

test("a leader that another front-end has chosen is adopted from its status, without a request", async () => {
  const { clock, register, fake, frontEnd, asked } = scenario();
  const { choice, leader } = frontEnd();
  await clock.advance(calmMs);
  const before = asked();
  fake(1).becomeLeader();
  await clock.advance(100);
  expect(leader()).toBe(1);
  expect([choice.term, register.current.term]).toEqual([2, 2]);
  expect(asked()).toEqual(before);
});

test("a newer term in the register is adopted when the leader is lost", async () => {
  const { clock, register, fake, frontEnd } = scenario();
  const { choice, leader } = frontEnd();
  await clock.advance(calmMs);
  // Another front-end, which can't reach replica 3, has made replica 1 the leader a moment ago.
  fake(1).term = register.acquire(1, 1);
  fake(1).role = "leader";
  fake(3).kill();
  await clock.advance(40);
  expect(leader()).toBe(1);
  expect(choice.term).toBe(2);
  expect(fake(2).asked).toHaveLength(0);
});

test("two front-ends that lose the leader at once agree on the next", async () => {
  const { clock, fake, frontEnd } = scenario();
  const [one, other] = [frontEnd(), frontEnd()];
  await clock.advance(calmMs);
  fake(3).kill();
  await clock.advance(calmMs);
  expect([one.leader(), other.leader()]).toEqual([2, 2]);
  expect(one.choice.term).toBe(other.choice.term);
});

test("if the leader in the register was restarted and follows, the highest live id leads instead", async () => {
  const { clock, register, fake, frontEnd } = scenario({ register: { term: 4, leader: 1 } });
  const { choice, leader } = frontEnd();
  await clock.advance(calmMs);
  expect(fake(1).asked).toEqual([3]);
  expect(leader()).toBe(3);
  expect(choice.term).toBe(5);
  expect(register.current).toMatchObject({ term: 5, leader: 3 });
});

test("the restart of a leader that was never silent is detected from its status", async () => {
  const { clock, fake, frontEnd } = scenario();
  const { leader } = frontEnd();
  await clock.advance(calmMs);
  fake(3).role = "follower";
  fake(3).term = 0;
  await clock.advance(200);
  expect(leader()).toBe(3);
  expect(fake(3).role).toBe("leader");
});

test("a candidate with a history that differs from the ledger is skipped until another leads", async () => {
  const { clock, fake, frontEnd } = scenario();
  fake(3).hasDiverged = true;
  const { leader } = frontEnd();
  await clock.advance(calmMs);
  expect(leader()).toBe(2);
  expect(fake(3).asked).toHaveLength(1);
  fake(2).kill();
  await clock.advance(calmMs);
  expect(leader()).toBe(1);
  expect(fake(3).asked).toHaveLength(2);
});

test("a candidate that waits in vain for the catalog is asked only once", async () => {
  const { clock, fake, frontEnd } = scenario();
  let asked = 0;
  fake(3).api.lead = async () => {
    asked += 1;
    await pause(clock, 3000);
    throw new BazaarError("DEPENDENCY_UNAVAILABLE", "the catalog doesn't answer: no answer in 3000 ms");
  };
  const { leader } = frontEnd();
  await clock.advance(3500);
  expect([leader(), asked]).toEqual([2, 1]);
});

test("no replica is asked to lead while the ledger can't be written, and one is as soon as it can", async () => {
  const { clock, register, frontEnd, asked } = scenario({ register: { obstacle: "catalog.db can't be written" } });
  const { leader } = frontEnd();
  await clock.advance(calmMs);
  expect(asked()).toEqual([0, 0, 0]);
  register.current = registerOf();
  await clock.advance(600);
  expect(leader()).toBe(3);
});

test("if all replicas had diverged, they are asked again: the right file may be back", async () => {
  const { clock, fake, frontEnd } = scenario();
  for (const id of [1, 2, 3]) fake(id).hasDiverged = true;
  const { leader } = frontEnd();
  await clock.advance(calmMs);
  expect(leader()).toBeUndefined();
  for (const id of [1, 2, 3]) fake(id).hasDiverged = false;
  await clock.advance(1000);
  expect(leader()).toBe(3);
});

test("the catalog receives the highest head that was seen, and the head in its register is remembered", async () => {
  const { clock, register, frontEnd } = scenario({ register: { head: 7 } });
  const read = register.register.bind(register);
  const sent: (Seen | undefined)[] = [];
  register.register = (seen?: Seen) => {
    sent.push(seen);
    return read();
  };
  const { ledger } = frontEnd();
  ledger.ends({ life: "life", head: 5 });
  await clock.advance(calmMs);
  expect(sent[0]).toEqual({ life: "life", head: 5 });
  expect(ledger.seen).toEqual({ life: "life", head: 7 });
});

test("while the catalog is away, no leader can be chosen; when it is back, one is chosen at once", async () => {
  const { clock, register, fake, frontEnd } = scenario();
  const { leader } = frontEnd();
  await clock.advance(calmMs);
  register.isUp = false;
  fake(3).kill();
  await clock.advance(10_000);
  expect(leader()).toBeUndefined();
  register.isUp = true;
  await clock.advance(250);
  expect(leader()).toBe(2);
});

test("a leader stays while the catalog is away for both", async () => {
  const { clock, register, frontEnd } = scenario();
  const { leader } = frontEnd();
  await clock.advance(calmMs);
  register.isUp = false;
  await clock.advance(10_000);
  expect(leader()).toBe(3);
});

test("a leader that answers that it doesn't lead is given up, but only the current one", async () => {
  const { clock, fake, frontEnd } = scenario();
  const { choice, leader } = frontEnd();
  await clock.advance(calmMs);
  const first = choice.leader;
  if (!first) throw new Error("no leader");
  fake(3).role = "follower";
  choice.refused(first);
  expect(choice.leader).toBeUndefined();
  await clock.advance(calmMs);
  expect(leader()).toBe(3);
  expect(choice.term).toBe(2);
  choice.refused(first);
  expect(leader()).toBe(3);
});

test("`changed` resolves when the leader changes, or after its maximum time", async () => {
  const { clock, fake, frontEnd } = scenario();
  const { choice } = frontEnd();
  await clock.advance(calmMs);
  const wait = observe(choice.changed(60_000));
  const short = observe(choice.changed(30));
  await clock.advance(30);
  expect([wait.state, short.state]).toEqual(["pending", "resolved"]);
  fake(3).kill();
  await clock.flush();
  expect(wait.state).toBe("resolved");
});

test("after a stop, no replica is asked any more", async () => {
  const { clock, fake, frontEnd, asked } = scenario();
  const { choice } = frontEnd();
  await clock.advance(calmMs);
  choice.stop();
  const before = asked();
  fake(3).kill();
  await clock.advance(calmMs);
  expect(asked()).toEqual(before);
});

describe("the replica that is asked to lead", () => {
  const head = 20_000;

  test.each([
    ["an empty file", 0, 2],
    ["more than 10,000 orders less than the longest", head - 10_001, 2],
    ["10,000 orders less than the longest", head - 10_000, 3],
  ])("depends on the length of its log: the highest id has %s", async (_case, lastId, expected) => {
    const { clock, fake, frontEnd, asked } = scenario({ register: { head } });
    fake(1).lastId = head;
    fake(2).lastId = head - 10_000;
    fake(3).lastId = lastId;
    const { leader } = frontEnd();
    await clock.advance(calmMs);
    expect(leader()).toBe(expected);
    expect(asked()).toEqual([1, 2, 3].map((id) => (id === expected ? 1 : 0)));
  });

  test("is compared with the longest live replica, even if that is far behind the ledger", async () => {
    const { clock, fake, frontEnd } = scenario({ register: { head: 5 * head } });
    fake(1).lastId = head;
    fake(2).lastId = head - 10_000;
    const { leader } = frontEnd();
    await clock.advance(calmMs);
    expect(leader()).toBe(2);
  });

  test("is one that lags behind if the others can't lead", async () => {
    const { clock, fake, frontEnd } = scenario({ register: { head } });
    fake(1).lastId = head;
    fake(1).hasDiverged = true;
    const { leader } = frontEnd();
    await clock.advance(calmMs);
    expect(leader()).toBe(3);
  });

  test("is one that lags behind if no other is live", async () => {
    const { clock, frontEnd } = scenario({ down: [1, 2], register: { head } });
    const { leader } = frontEnd();
    await clock.advance(calmMs);
    expect(leader()).toBe(3);
  });

  test("is first one that is longer than the ledger, so that the catalog detects it", async () => {
    const { clock, register, fake, frontEnd, asked } = scenario({ register: { head: 5 } });
    fake(1).lastId = 7;
    fake(1).hasDiverged = true;
    fake(2).lastId = 6;
    const { lead } = fake(1).api;
    fake(1).api.lead = (...request) => {
      // From then on the catalog refuses everything.
      register.isUp = false;
      return lead(...request);
    };
    const { leader } = frontEnd();
    await clock.advance(calmMs);
    expect(asked()).toEqual([1, 0, 0]);
    expect(leader()).toBeUndefined();
  });

  test("is another one at once after one with another history", async () => {
    const { clock, fake, frontEnd, asked } = scenario();
    fake(3).hasDiverged = true;
    const { leader } = frontEnd();
    await clock.advance(50);
    expect(leader()).toBe(2);
    expect(asked()).toEqual([0, 1, 1]);
  });

  test("is another one at once after one that doesn't answer and stores nothing meanwhile", async () => {
    const { clock, fake, frontEnd, asked } = scenario();
    fake(3).api.lead = () => Promise.reject(new BazaarError("UNAVAILABLE", "no answer in time"));
    const { leader } = frontEnd();
    await clock.advance(50);
    expect(leader()).toBe(2);
    expect(asked()).toEqual([0, 1, 0]);
  });

  test("is the same one again if it doesn't answer but is still catching up with the ledger", async () => {
    const { clock, fake, frontEnd, asked } = scenario({ register: { head } });
    const { lead } = fake(3).api;
    let misses = 3;
    fake(3).api.lead = async (...request) => {
      misses -= 1;
      if (misses < 0) return lead(...request);
      fake(3).lastId += 100;
      fake(3).say();
      // The status arrives before the deadline of this call.
      await fake(3).wire.call(async () => {});
      throw new BazaarError("UNAVAILABLE", "no answer in time");
    };
    const { leader } = frontEnd();
    await clock.advance(calmMs);
    expect(leader()).toBe(3);
    expect(asked()).toEqual([0, 0, 1]);
  });

  test("is another one after one that hasn't reached the catalog for a second", async () => {
    const { clock, fake, frontEnd, asked } = scenario();
    fake(3).reachesCatalog = false;
    const { leader } = frontEnd();
    await clock.advance(950);
    expect(leader()).toBeUndefined();
    expect(asked()[1]).toBe(0);
    await clock.advance(300);
    expect(leader()).toBe(2);
  });

  test("is the same one again if it reaches the catalog within that second", async () => {
    const { clock, fake, frontEnd } = scenario();
    fake(3).reachesCatalog = false;
    const { leader } = frontEnd();
    await clock.advance(700);
    fake(3).reachesCatalog = true;
    await clock.advance(200);
    expect(leader()).toBe(3);
  });

  test("is each of them again if none has reached the catalog", async () => {
    const { clock, fake, frontEnd } = scenario();
    for (const id of [1, 2, 3]) fake(id).reachesCatalog = false;
    const { leader } = frontEnd();
    await clock.advance(10_000);
    expect(leader()).toBeUndefined();
    for (const id of [1, 2, 3]) expect(fake(id).asked.length).toBeGreaterThan(1);
    fake(2).reachesCatalog = true;
    await clock.advance(4000);
    expect(leader()).toBe(2);
  });
});

describe("a leader that reports that it can't reach the catalog", () => {
  async function led() {
    const made = scenario();
    const frontEnd = made.frontEnd();
    await made.clock.advance(calmMs);
    expect(frontEnd.leader()).toBe(3);
    return { ...made, ...frontEnd };
  }

  test("for longer than a second is replaced, and not chosen again", async () => {
    const { clock, register, fake, leader } = await led();
    fake(3).reachesCatalog = false;
    await clock.advance(1000);
    expect(leader()).toBe(3);
    await clock.advance(200);
    expect(leader()).toBe(2);
    expect(register.current).toMatchObject({ term: 2, leader: 2 });
    expect(fake(3).hints).toContainEqual({ term: 2, leader: 2 });
    fake(3).reachesCatalog = true;
    await clock.advance(calmMs);
    expect(leader()).toBe(2);
  });

  test("stays each time if it reaches it again within a second", async () => {
    const { clock, fake, leader, asked } = await led();
    for (let times = 0; times < 3; times += 1) {
      fake(3).reachesCatalog = false;
      await clock.advance(900);
      fake(3).reachesCatalog = true;
      await clock.advance(100);
    }
    await clock.advance(calmMs);
    expect(leader()).toBe(3);
    expect(asked()).toEqual([0, 0, 1]);
  });

  test("stays while this front-end can't reach it either, and is replaced when only the leader can't", async () => {
    const { clock, register, fake, leader, asked } = await led();
    fake(3).reachesCatalog = false;
    register.isUp = false;
    await clock.advance(10_000);
    expect(leader()).toBe(3);
    expect(asked()).toEqual([0, 0, 1]);
    register.isUp = true;
    // The leader may be about to reach it again too.
    await clock.advance(1000);
    expect(leader()).toBe(3);
    await clock.advance(500);
    expect(leader()).toBe(2);
  });

  test("stays when both reach the catalog again", async () => {
    const { clock, register, fake, leader, asked } = await led();
    fake(3).reachesCatalog = false;
    register.isUp = false;
    await clock.advance(10_000);
    // This front-end reaches it first, which is no reason to replace the leader yet.
    register.isUp = true;
    await clock.advance(700);
    fake(3).reachesCatalog = true;
    await clock.advance(calmMs);
    expect(leader()).toBe(3);
    expect(asked()).toEqual([0, 0, 1]);
  });

  test("stays while this front-end reaches it only intermittently", async () => {
    const { clock, register, fake, leader, asked } = await led();
    fake(3).reachesCatalog = false;
    for (let times = 0; times < 5; times += 1) {
      register.isUp = true;
      await clock.advance(700);
      register.isUp = false;
      await clock.advance(700);
    }
    expect(leader()).toBe(3);
    expect(asked()).toEqual([0, 0, 1]);
  });

  test("is replaced at once by the leader of a later term in the register", async () => {
    const { clock, register, fake } = await led();
    register.current = { ...register.current, term: 2, leader: 1 };
    fake(3).reachesCatalog = false;
    fake(3).say();
    await clock.advance(10);
    expect(fake(1).asked).toEqual([1]);
  });

  test("stays if it reaches the catalog again while this front-end reads the register", async () => {
    const { clock, register, fake, leader, asked } = await led();
    const read = register.register.bind(register);
    let answer = () => {};
    register.register = async () => {
      await new Promise<void>((resolve) => (answer = resolve));
      return read();
    };
    fake(3).reachesCatalog = false;
    await clock.advance(1200);
    fake(3).reachesCatalog = true;
    await clock.advance(50);
    answer();
    await clock.advance(calmMs);
    expect(leader()).toBe(3);
    expect(asked()).toEqual([0, 0, 1]);
  });

  test("stays until another replica can reach it", async () => {
    const { clock, fake, leader } = await led();
    for (const id of [1, 2, 3]) fake(id).reachesCatalog = false;
    await clock.advance(5000);
    expect(leader()).toBe(3);
    fake(1).reachesCatalog = true;
    await clock.advance(3000);
    expect(leader()).toBe(1);
  });
});
