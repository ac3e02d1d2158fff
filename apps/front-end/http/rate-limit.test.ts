import { expect, test } from "vitest";
import { RateLimit, rateLimitsOf } from "./rate-limit.ts";

/** How many of `tries` requests of the client pass at this time. */
const passed = (limit: RateLimit, client: string, nowMs: number, tries = 1000) =>
  Array.from({ length: tries }, () => limit.take(client, nowMs)).filter(Boolean).length;

test.each([1, 2, 3, 7, 10, 1000])(
  "of a limit of %i per second, as many pass at once, and then as many a second",
  (perSecond) => {
    const limit = new RateLimit("reads", perSecond);
    expect(passed(limit, "a", 5, perSecond + 10)).toBe(perSecond);
    for (let second = 1; second < 20; second += 1)
      expect(passed(limit, "a", 5 + second * 1000, perSecond + 10)).toBe(perSecond);
    const quarters = Array.from({ length: 40 }, (_, quarter) =>
      passed(limit, "a", 30_000 + quarter * 250, perSecond + 10),
    );
    const total = quarters.reduce((sum, count) => sum + count, 0);
    expect(Math.abs(total - (perSecond + perSecond * 9.75))).toBeLessThanOrEqual(1);
  },
);

test("refused requests don't count, and clients don't share a bucket", () => {
  const limit = new RateLimit("reads", 2);
  expect(passed(limit, "a", 0)).toBe(2);
  expect(passed(limit, "b", 0)).toBe(2);
  expect(passed(limit, "a", 500)).toBe(1);
});

test("with very many clients, the bucket that was used least recently is forgotten", () => {
  const limit = new RateLimit("reads", 1);
  expect(limit.take("first", 0)).toBe(true);
  expect(limit.take("second", 0)).toBe(true);
  for (let client = 0; client < 9_999; client += 1) limit.take(String(client), 0);
  expect(limit.take("second", 0)).toBe(false);
  expect(limit.take("first", 0)).toBe(true);
});

test("a refusal says when to come again, and which limit it was", () => {
  expect(new RateLimit("trades", 5).refusal).toMatchObject({
    status: 429,
    reason: "UNAVAILABLE",
    headers: { "retry-after": "1", ratelimit: '"trades";r=0;t=1', "ratelimit-policy": '"trades";q=5;w=1' },
  });
  expect(rateLimitsOf({ trades: 0, reads: 0 })).toEqual({ trades: undefined, reads: undefined });
});
