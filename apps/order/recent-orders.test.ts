import { OrderBatch } from "@stock-bazaar/shared/batches";
import { expect, test } from "vitest";
import { batchOf, ordersOf } from "../../test/support/builders.ts";
import { RecentOrders } from "./recent-orders.ts";

test("returns the orders after an id, up to the limit", () => {
  const recent = new RecentOrders(10);
  recent.push(batchOf(5, 9));
  expect(recent.after(4, 3)?.rows).toEqual(ordersOf(5, 7));
  expect(recent.after(7, 3)?.rows).toEqual(ordersOf(8, 9));
  expect(recent.after(9, 3)?.rows).toEqual([]);
});

test("returns the newest batch as it came, so that its text isn't written again", () => {
  const recent = new RecentOrders(10);
  recent.push(batchOf(1, 2));
  const newest = batchOf(3, 5);
  recent.push(newest);
  expect(recent.after(2, 3)).toBe(newest);
  expect(recent.after(2, 2)?.rows).toEqual(ordersOf(3, 4));
  for (const [afterId, limit] of [
    [0, 5],
    [1, 5],
    [1, 3],
    [0, 4],
  ] as const) {
    const batch = recent.after(afterId, limit);
    expect(OrderBatch.read(batch?.text ?? "").rows).toEqual(batch?.rows);
  }
  expect(recent.after(1, 5)?.rows).toEqual(ordersOf(2, 5));
});

test("returns undefined rather than orders with a gap", () => {
  const recent = new RecentOrders(10);
  expect(recent.after(0, 3)).toBeUndefined();
  recent.push(batchOf(5, 9));
  expect(recent.after(3, 3)).toBeUndefined();
});

test("keeps only the newest orders, and at least as many as configured", () => {
  const recent = new RecentOrders(4);
  for (let id = 1; id <= 100; id += 1) {
    recent.push(batchOf(id, id));
    expect(recent.after(Math.max(0, id - 4), 100)?.rows).toEqual(ordersOf(Math.max(1, id - 3), id));
  }
  expect(recent.after(91, 1)).toBeUndefined();
});

test("returns one order by its id", () => {
  const recent = new RecentOrders(4);
  recent.push(batchOf(5, 6));
  expect(recent.get(6)?.id).toBe(6);
  expect([recent.get(4), recent.get(7)]).toEqual([undefined, undefined]);
});
