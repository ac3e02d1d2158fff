import { faultsVariable, type FaultRequest } from "@stock-bazaar/process/faults";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { connectFaults } from "./faults.ts";

function setUp(offered = true) {
  const clock = new ManualClock();
  const asked: FaultRequest[] = [];
  let listener: (message: unknown) => void = () => {};
  const channel = {
    env: offered ? { [faultsVariable]: "1" } : {},
    send: (request: FaultRequest) => asked.push(request),
    on: (_event: "message", action: (message: unknown) => void) => void (listener = action),
  };
  return { clock, asked, channel, answer: (message: unknown) => listener(message) };
}

test("without the supervisor's variable or without a channel to it, there are no faults", () => {
  const { clock, channel } = setUp();
  expect(connectFaults(setUp(false).channel, "localhost", clock)).toBeUndefined();
  expect(connectFaults({ ...channel, send: undefined }, "localhost", clock)).toBeUndefined();
  expect(connectFaults(channel, "localhost", clock)).toBeDefined();
});

test("answers are matched to their requests, in any order", async () => {
  const { clock, channel, asked, answer } = setUp();
  const faults = connectFaults(channel, "localhost", clock);
  const [first, second] = [
    faults?.inject("kill", { kind: "replica", number: 3 }),
    faults?.inject("freeze", { kind: "catalog", number: 2 }),
  ];
  expect(asked).toMatchObject([
    { fault: "kill", target: { kind: "replica", number: 3 } },
    { fault: "freeze", target: { kind: "catalog", number: 2 } },
  ]);
  for (const nonsense of [null, "yes", {}, { sequence: asked[0]?.sequence }, { sequence: 99, done: true }])
    answer(nonsense);
  answer({ sequence: asked[1]?.sequence, done: false });
  answer({ sequence: asked[0]?.sequence, done: true });
  expect([await first, await second]).toEqual([true, false]);
  expect(clock.timers).toBe(0);
});

test("a request to a silent supervisor times out", async () => {
  const { clock, channel } = setUp();
  const asked = connectFaults(channel, "localhost", clock)
    ?.inject("kill", { kind: "replica", number: 3 })
    .catch((error: Error) => error.message);
  await clock.advance(2000);
  expect(await asked).toBe("the supervisor doesn't answer");
});
