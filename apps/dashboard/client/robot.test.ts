import { expect, test } from "vitest";
import type { ApiOptions } from "./api.ts";
import { type RobotState, runRobot } from "./robot.ts";

/** Runs the robot against a front-end that stores orders and may forget one. */
async function runFor(trades: number, forget?: number): Promise<{ states: RobotState[]; bought: Map<string, number> }> {
  const orders: { name: string; type: string; quantity: number }[] = [];
  const bought = new Map<string, number>();
  const stop = new AbortController();
  const states: RobotState[] = [];
  let nowMs = 0;
  const api: ApiOptions = {
    async fetch(url, init) {
      nowMs += 3;
      if (init?.method === "POST") {
        const order = (await new Request("http://x/", init).json()) as (typeof orders)[number];
        orders.push(order);
        const change = order.type === "buy" ? order.quantity : -order.quantity;
        bought.set(order.name, (bought.get(order.name) ?? 0) + change);
        if (orders.length === trades) stop.abort();
        return Response.json({ data: { transaction_number: orders.length } });
      }
      const number = Number(/^\/orders\/(\d+)$/.exec(url)?.[1] ?? 0);
      if (number === 0) return Response.json({ data: {} });
      const order = number === forget ? undefined : orders[number - 1];
      return order ? Response.json({ data: { number, ...order } }) : Response.json({ error: {} }, { status: 404 });
    },
    nowMs: () => nowMs,
    sleep: async (ms) => void (nowMs += ms),
  };
  await runRobot({
    api,
    names: () => ["A", "B"],
    random: Math.random,
    signal: stop.signal,
    report: (state) => states.push(state),
  });
  return { states, bought };
}

test("the robot trades until it is stopped, sells what it bought, and finds every order", async () => {
  const { states, bought } = await runFor(40);
  expect(states.at(-1)).toEqual({
    phase: "checked",
    totals: { acknowledged: 40, refused: 0, unanswered: 0, longestMs: 3 },
    found: 40,
    wrong: [],
  });
  expect([...bought.values()].every((units) => units === 0)).toBe(true);
});

test("a missing acknowledged order is reported by its number", async () => {
  const { states } = await runFor(10, 4);
  expect(states.at(-1)).toMatchObject({ phase: "checked", found: 9, wrong: [4] });
});
