import type { ReplicaStatus } from "@stock-bazaar/shared/api";
import { OtherVersionError } from "@stock-bazaar/shared/errors";
import { silentLogger } from "@stock-bazaar/process/log";
import { expect, test } from "vitest";
import { FakeRegister, FakeReplica } from "../../test/support/fake-cluster.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { Replicas } from "./replicas.ts";

const silentMs = 500;

async function scenario(ids: readonly number[] = [1, 2, 3]) {
  const clock = new ManualClock();
  const register = new FakeRegister();
  const fakes = new Map(ids.map((id) => [id, new FakeReplica(id, clock, register, new Map())]));
  const changes: [number, ReplicaStatus["role"] | "gone"][] = [];
  const replicas = new Replicas({
    apis: new Map([...fakes].map(([id, { api }]) => [id, api])),
    clock,
    random: () => 0,
    logger: silentLogger,
    changed: (id, status) => changes.push([id, status?.role ?? "gone"]),
  });
  const fake = (id: number) => fakes.get(id) ?? fail(id);
  return { clock, replicas, fake, changes, ids: () => replicas.live.map(({ id }) => id) };
}

function fail(id: number): never {
  throw new Error(`no replica ${id}`);
}

test("no replica is live before its first status; then all are, sorted from the highest id", async () => {
  const { clock, replicas, ids } = await scenario();
  expect(ids()).toEqual([]);
  expect(replicas.states.map(({ state }) => state)).toEqual(["away", "away", "away"]);
  replicas.start();
  await clock.flush();
  expect(ids()).toEqual([3, 2, 1]);
  expect(replicas.states).toMatchObject([{ id: 1, state: "live", status: { replica: 1 } }, { id: 2 }, { id: 3 }]);
});

test("a replica that is killed is away at once, without a timeout, and calls to it are aborted", async () => {
  const { clock, replicas, fake, changes, ids } = await scenario();
  replicas.start();
  await clock.flush();
  const gone = replicas.get(2)?.gone;
  const beforeMs = clock.nowMs();
  fake(2).kill();
  await clock.flush();
  expect(clock.nowMs()).toBe(beforeMs);
  expect(ids()).toEqual([3, 1]);
  expect(replicas.get(2)).toBeUndefined();
  expect(gone?.aborted).toBe(true);
  expect(changes.filter(([, what]) => what === "gone")).toEqual([[2, "gone"]]);
  expect(replicas.states[1]?.state).toBe("away");
});

test("a replica that restarts is live within half a second, for new calls", async () => {
  const { clock, replicas, fake, ids } = await scenario();
  replicas.start();
  await clock.flush();
  fake(2).kill();
  await clock.advance(60_000);
  fake(2).restart();
  await clock.advance(500);
  expect(ids()).toEqual([3, 2, 1]);
  expect(replicas.get(2)?.gone.aborted).toBe(false);
});

test("a replica that speaks another version is away, is retried four times a second, and is live once updated", async () => {
  const { clock, replicas, fake, ids } = await scenario();
  const { api } = fake(2);
  const { watch } = api;
  let asked = 0;
  api.watch = (handlers) => {
    asked += 1;
    clock.soon(() => handlers.ended(new OtherVersionError("the replica speaks version 2")));
    return { send() {}, close() {} };
  };
  replicas.start();
  await clock.advance(5000);
  expect(ids()).toEqual([3, 1]);
  expect([replicas.states[1]?.state, replicas.otherVersion]).toEqual(["away", true]);
  asked = 0;
  await clock.advance(10_000);
  expect(asked).toBeLessThanOrEqual(80);
  api.watch = watch;
  await clock.advance(500);
  expect([ids(), replicas.otherVersion]).toEqual([[3, 2, 1], false]);
});

test("a frozen replica is silent after 500 ms, even though its stream is open", async () => {
  const { clock, replicas, fake, changes, ids } = await scenario();
  replicas.start();
  await clock.advance(200);
  const gone = replicas.get(3)?.gone;
  fake(3).wire.freeze();
  await clock.advance(silentMs - 100);
  expect(ids()).toEqual([3, 2, 1]);
  await clock.advance(200);
  expect(ids()).toEqual([2, 1]);
  expect(gone?.aborted).toBe(true);
  expect(replicas.states[2]).toMatchObject({ state: "silent", status: { replica: 3 } });
  expect(changes.filter(([, what]) => what === "gone")).toEqual([[3, "gone"]]);

  fake(3).wire.thaw();
  await clock.flush();
  expect(ids()).toEqual([3, 2, 1]);
  expect(replicas.get(3)?.gone.aborted).toBe(false);
});

test("a silent replica that is killed is away, and is not reported as gone a second time", async () => {
  const { clock, replicas, fake, changes } = await scenario();
  replicas.start();
  await clock.advance(200);
  fake(3).wire.freeze();
  await clock.advance(1000);
  expect(replicas.states[2]?.state).toBe("silent");
  fake(3).wire.cut();
  await clock.flush();
  expect(replicas.states[2]?.state).toBe("away");
  expect(changes.filter(([id, what]) => id === 3 && what === "gone")).toHaveLength(1);
});

test("after this process has slept, no replica is taken for frozen", async () => {
  const { clock, replicas, changes, fake, ids } = await scenario();
  replicas.start();
  await clock.advance(200);
  // Their messages of that time wait in the sockets.
  for (const id of [1, 2, 3]) fake(id).wire.freeze();
  await clock.oversleep(5000);
  expect(ids()).toEqual([3, 2, 1]);
  for (const id of [1, 2, 3]) fake(id).wire.thaw();
  await clock.advance(1000);
  expect(changes.some(([, what]) => what === "gone")).toBe(false);
});

test("stopping closes every stream and leaves no timer behind", async () => {
  const { clock, replicas, fake } = await scenario();
  replicas.start();
  await clock.flush();
  fake(1).kill();
  await clock.flush();
  replicas.stop();
  fake(1).restart();
  await clock.advance(5000);
  expect([1, 2, 3].map((id) => fake(id).wire.streams)).toEqual([0, 0, 0]);
});
