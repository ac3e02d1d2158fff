import { expect, test } from "vitest";
import { answerFault } from "./faults.ts";

function setUp(runs = true) {
  const done: string[] = [];
  const replies: unknown[] = [];
  const supervisor = {
    killService: (name: string, awayMs: number) => (done.push(`kill ${name} ${awayMs}`), runs),
    freezeService: (name: string, forMs: number) => (done.push(`freeze ${name} ${forMs}`), runs),
  };
  return { done, replies, ask: (message: unknown) => answerFault(supervisor, message, (reply) => replies.push(reply)) };
}

test("a fault reaches the process that it names, and the reply has the number of its request", () => {
  const { done, replies, ask } = setUp();
  const targets = [
    { kind: "replica", number: 3 },
    { kind: "replica", number: 1 },
    { kind: "catalog", number: 1 },
    { kind: "catalog", number: 2 },
  ];
  for (const [index, target] of targets.entries())
    ask({ sequence: index + 1, fault: index % 2 === 0 ? "kill" : "freeze", target });
  expect(done).toEqual(["kill order-3 3000", "freeze order-1 10000", "kill catalog 3000", "freeze catalog-2 10000"]);
  expect(replies).toEqual(targets.map((_, index) => ({ sequence: index + 1, done: true })));
});

test("the reply says if the process doesn't run", () => {
  const { replies, ask } = setUp(false);
  ask({ sequence: 7, fault: "kill", target: { kind: "replica", number: 3 } });
  expect(replies).toEqual([{ sequence: 7, done: false }]);
});

test.each([
  undefined,
  null,
  "kill",
  {},
  { sequence: 1, fault: "erase", target: { kind: "replica", number: 1 } },
  { sequence: 1, fault: "kill", target: { kind: "replica", number: "catalog" } },
  { sequence: 1, fault: "kill", target: { kind: "front-end", number: 1 } },
  { sequence: 1, fault: "kill", target: null },
  { sequence: 1, fault: "kill", service: "catalog" },
  { fault: "kill", target: { kind: "replica", number: 1 } },
])("%j is not a request: nothing happens", (message) => {
  const { done, replies, ask } = setUp();
  ask(message);
  expect(done).toEqual([]);
  expect(replies).toEqual([]);
});
