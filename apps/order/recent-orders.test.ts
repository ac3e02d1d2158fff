import { expect, test } from "vitest";
import { orderOf, ordersOf } from "../../test/support/builders.ts";
import { RecentOrders } from "./recent-orders.ts";

test("returns the orders after an id, up to the limit", () => {
  const recent = new RecentOrders(10);
  recent.push(ordersOf(5, 9));
  expect(recent.after(4, 3)).toEqual(ordersOf(5, 7));
  expect(recent.after(7, 3)).toEqual(ordersOf(8, 9));
  expect(recent.after(9, 3)).toEqual([]);
});

test("returns undefined rather than orders with a gap", () => {
  const recent = new RecentOrders(10);
  expect(recent.after(0, 3)).toBeUndefined();
  recent.push(ordersOf(5, 9));
  expect(recent.after(3, 3)).toBeUndefined();
});

test("keeps only the newest orders, and at least as many as configured", () => {
  const recent = new RecentOrders(4);
  for (let id = 1; id <= 100; id += 1) {
    recent.push([orderOf(id)]);
    expect(recent.after(Math.max(0, id - 4), 100)).toEqual(ordersOf(Math.max(1, id - 3), id));
  }
  expect(recent.after(91, 1)).toBeUndefined();
});

test("returns one order by its id", () => {
  const recent = new RecentOrders(4);
  recent.push(ordersOf(5, 6));
  expect(recent.get(6)?.id).toBe(6);
  expect([recent.get(4), recent.get(7)]).toEqual([undefined, undefined]);
});
