import { expect, test } from "vitest";
import { type ApiOptions, findOrder, injectFault, placeTrade } from "./api.ts";
import { newKey } from "./key.ts";

type Reply = { status: number; body: unknown } | "nothing";

/** Answers requests with the replies in turn; the last one repeats. A sleep only advances the test's clock. */
function setUp(...replies: Reply[]) {
  const sent: { url: string; init: RequestInit | undefined }[] = [];
  let nowMs = 0;
  const api: ApiOptions = {
    async fetch(url, init) {
      sent.push({ url, init });
      const reply = replies[Math.min(sent.length, replies.length) - 1] ?? "nothing";
      if (reply === "nothing") throw new TypeError("Failed to fetch");
      return Response.json(reply.body, { status: reply.status });
    },
    nowMs: () => nowMs,
    sleep: async (ms) => void (nowMs += ms),
  };
  const keys = () => sent.map(({ init }) => new Headers(init?.headers).get("idempotency-key"));
  return { api, sent, keys };
}

const trade = { name: "GameStart", type: "buy", quantity: 2 } as const;
const accepted: Reply = { status: 200, body: { data: { transaction_number: 7 } } };
const unavailable: Reply = { status: 503, body: { error: { message: "no answer in time" } } };

test("a trade is sent with a key, and the order number is returned", async () => {
  const { api, sent, keys } = setUp(accepted);
  expect(await placeTrade(api, trade)).toEqual({ status: "accepted", number: 7, tookMs: 0, attempts: 1 });
  expect(sent[0]).toMatchObject({ url: "/orders", init: { method: "POST", body: JSON.stringify(trade) } });
  expect(keys()[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("without an outcome the trade is sent again with the same key; another trade gets another key", async () => {
  const { api, keys } = setUp("nothing", unavailable, { status: 500, body: "?" }, accepted);
  const attempts: number[] = [];
  const result = await placeTrade(api, trade, (attempt) => attempts.push(attempt));
  expect(result).toMatchObject({ status: "accepted", number: 7, tookMs: 1500, attempts: 4 });
  expect(attempts).toEqual([2, 3, 4]);
  expect(new Set(keys()).size).toBe(1);
  await placeTrade(api, trade);
  expect(new Set(keys()).size).toBe(2);
});

test("a rejection is final and contains the reason", async () => {
  const { api, sent } = setUp({ status: 404, body: { error: { message: "stock not found" } } });
  expect(await placeTrade(api, trade)).toEqual({ status: "refused", message: "stock not found" });
  expect(sent).toHaveLength(1);
});

test("after a minute without an outcome the result is unknown", async () => {
  const { api, sent } = setUp(unavailable);
  expect(await placeTrade(api, trade)).toEqual({ status: "unknown" });
  expect(sent).toHaveLength(120);
});

test("a query finds an order, finds none, or rejects without an answer", async () => {
  const order = { number: 7, name: "GameStart", type: "buy", quantity: 2 };
  expect(await findOrder(setUp({ status: 200, body: { data: order } }).api, 7)).toEqual(order);
  expect(await findOrder(setUp({ status: 404, body: {} }).api, 7)).toBeUndefined();
  await expect(findOrder(setUp("nothing").api, 7)).rejects.toThrowError("The front-end doesn't answer");
  await expect(findOrder(setUp(unavailable).api, 7)).rejects.toThrowError("no answer in time");
});

test("a fault returns a message in every case", async () => {
  const done = setUp({ status: 200, body: { data: { fault: "kill", replica: 3 } } });
  expect(await injectFault(done.api, "kill", "leader")).toBe("Replica 3 was killed");
  expect(done.sent[0]).toMatchObject({ url: "/faults/kill-leader", init: { method: "POST" } });
  const frozen = setUp({ status: 200, body: { data: { fault: "freeze", catalog: 2 } } });
  expect(await injectFault(frozen.api, "freeze", "catalog")).toBe("Catalog 2 is frozen for ten seconds");
  expect(frozen.sent[0]).toMatchObject({ url: "/faults/freeze-catalog", init: { method: "POST" } });
  expect(await injectFault(setUp(unavailable).api, "freeze", "leader")).toBe("no answer in time");
  expect(await injectFault(setUp("nothing").api, "freeze", "catalog")).toBe("The front-end doesn't answer");
});

test("keys are ordered by the time of their creation", () => {
  const random = new Uint8Array(16).fill(255);
  expect(
    newKey(1, random) <
      newKey(
        2,
        random.map(() => 0),
      ),
  ).toBe(true);
  expect(newKey(0x0190b6e28f5a, random)).toBe("0190b6e2-8f5a-7fff-bfff-ffffffffffff");
});
