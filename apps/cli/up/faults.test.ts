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

test("a fault reaches the replica that it names, and the reply has the number of its request", () => {
  const { done, replies, ask } = setUp();
  ask({ sequence: 1, fault: "kill", replica: 3 });
  ask({ sequence: 2, fault: "freeze", replica: 1 });
  expect(done).toEqual(["kill order-3 3000", "freeze order-1 10000"]);
  expect(replies).toEqual([
    { sequence: 1, done: true },
    { sequence: 2, done: true },
  ]);
});

test("the reply says if the replica doesn't run", () => {
  const { replies, ask } = setUp(false);
  ask({ sequence: 7, fault: "kill", replica: 3 });
  expect(replies).toEqual([{ sequence: 7, done: false }]);
});

test.each([
  undefined,
  null,
  "kill",
  {},
  { sequence: 1, fault: "erase", replica: 1 },
  { sequence: 1, fault: "kill", replica: "catalog" },
  { sequence: 1, fault: "kill", service: "catalog" },
  { fault: "kill", replica: 1 },
])("%j is not a request: nothing happens", (message) => {
  const { done, replies, ask } = setUp();
  ask(message);
  expect(done).toEqual([]);
  expect(replies).toEqual([]);
});
