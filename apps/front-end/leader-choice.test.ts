import { silentLogger } from "@stock-bazaar/shared/log";
import { expect, test } from "vitest";
import { FakeRegister, FakeReplica } from "../../test/support/fake-cluster.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe } from "../../test/support/observe.ts";
import { LeaderChoice } from "./leader-choice.ts";
import { Replicas } from "./replicas.ts";

/** Front-ends that watch the same three replicas. */
function scenario(options: { down?: readonly number[]; register?: { term: number; leader: number } } = {}) {
  const clock = new ManualClock();
  const register = new FakeRegister();
  register.current = { head: 0, ...(options.register ?? { term: 0, leader: 0 }) };
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
      changed: (id, status) => choice.heard(id, status),
    });
    const choice: LeaderChoice = new LeaderChoice({
      catalog: register,
      replicas,
      clock,
      random: () => 0,
      logger: silentLogger,
    });
    replicas.start();
    choice.start();
    return { choice, leader: () => choice.leader?.id, replicas };
  };
  return { clock, register, fake, frontEnd, asked: () => fakes.map(({ asked }) => asked.length) };
}

/** Everything that may still happen without a fault. */
const calmMs = 3000;

test("at the first start the live replica with the highest id leads, and every replica is told", async () => {
  const { clock, register, fake, frontEnd } = scenario();
  const { choice, leader } = frontEnd();
  await clock.advance(calmMs);
  expect(leader()).toBe(3);
  expect(register.current).toMatchObject({ term: 1, leader: 3 });
  expect(choice.term).toBe(1);
  for (const id of [1, 2]) expect(fake(id).hints).toContainEqual({ term: 1, leader: 3 });
});

test("at the first start, replicas that come up a moment later are waited for, so that the highest id leads", async () => {
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

test("those that don't come up at the first start are not waited for longer than a second", async () => {
  const { clock, frontEnd } = scenario({ down: [3] });
  const { leader } = frontEnd();
  await clock.advance(900);
  expect(leader()).toBeUndefined();
  await clock.advance(500);
  expect(leader()).toBe(2);
});

test("when the leader is killed, the highest id of those that live leads, within 100 ms", async () => {
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

test("a leader stays when a replica with a higher id comes back", async () => {
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

test("a frozen leader is replaced before a second is over, and not taken back when it wakes up", async () => {
  const { clock, fake, frontEnd } = scenario();
  const { choice, leader } = frontEnd();
  await clock.advance(calmMs);
  fake(3).wire.freeze();
  await clock.advance(800);
  expect(leader()).toBe(2);
  // It still believes that it leads, and says so.
  fake(3).wire.thaw();
  await clock.advance(calmMs);
  expect(leader()).toBe(2);
  expect(choice.term).toBe(2);
});

test("nobody is asked to lead while nobody lives; the first that is back leads", async () => {
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

test("a front-end that starts adopts the leader that the register names, though a higher id lives", async () => {
  const { clock, register, fake, frontEnd, asked } = scenario();
  fake(2).becomeLeader();
  const { choice, leader } = frontEnd();
  await clock.advance(calmMs);
  expect(leader()).toBe(2);
  expect([choice.term, register.current.term]).toEqual([1, 1]);
  expect(asked()[2]).toBe(0);
});

test("a leader that another front-end has chosen is adopted from what it says, without asking anybody", async () => {
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
  // Another front-end, that can't hear replica 3, has made replica 1 the leader a moment ago.
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

test("the leader that the register names was restarted and follows: the highest live id leads instead", async () => {
  const { clock, register, fake, frontEnd } = scenario({ register: { term: 4, leader: 1 } });
  const { choice, leader } = frontEnd();
  await clock.advance(calmMs);
  expect(fake(1).asked).toEqual([3]);
  expect(leader()).toBe(3);
  expect(choice.term).toBe(5);
  expect(register.current).toMatchObject({ term: 5, leader: 3 });
});

test("a leader that was restarted so fast that nobody missed it is noticed by what it says", async () => {
  const { clock, fake, frontEnd } = scenario();
  const { leader } = frontEnd();
  await clock.advance(calmMs);
  fake(3).role = "follower";
  fake(3).term = 0;
  await clock.advance(200);
  expect(leader()).toBe(3);
  expect(fake(3).role).toBe("leader");
});

test("a candidate whose history isn't the ledger's is skipped until somebody leads", async () => {
  const { clock, fake, frontEnd } = scenario();
  fake(3).hasDiverged = true;
  const { leader } = frontEnd();
  await clock.advance(calmMs);
  expect(leader()).toBe(2);
  expect(fake(3).asked).toHaveLength(1);
  fake(2).kill();
  await clock.advance(calmMs);
  expect(leader()).toBe(1);
});

test("replicas that all had diverged are asked again, in case somebody has put the right file back", async () => {
  const { clock, fake, frontEnd } = scenario();
  for (const id of [1, 2, 3]) fake(id).hasDiverged = true;
  const { leader } = frontEnd();
  await clock.advance(calmMs);
  expect(leader()).toBeUndefined();
  for (const id of [1, 2, 3]) fake(id).hasDiverged = false;
  await clock.advance(1000);
  expect(leader()).toBe(3);
});

test("while the catalog is away nobody can be chosen; when it is back, somebody leads at once", async () => {
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

test("a catalog that is away does not unseat the leader", async () => {
  const { clock, register, frontEnd } = scenario();
  const { leader } = frontEnd();
  await clock.advance(calmMs);
  register.isUp = false;
  await clock.advance(10_000);
  expect(leader()).toBe(3);
});

test("a leader that says itself that it doesn't lead is given up, one that was given up already is not", async () => {
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

test("whoever waits for a change is woken when the leader changes, or after a while", async () => {
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

test("after it has stopped it asks nobody any more", async () => {
  const { clock, fake, frontEnd, asked } = scenario();
  const { choice } = frontEnd();
  await clock.advance(calmMs);
  choice.stop();
  const before = asked();
  fake(3).kill();
  await clock.advance(calmMs);
  expect(asked()).toEqual(before);
});
