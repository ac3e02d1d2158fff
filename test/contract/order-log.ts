/** The contract of `OrderLog` (R4, I3): one suite that runs on every implementation. */

import type { OrderLog } from "@stock-bazaar/order-log/order-log";
import type { Order } from "@stock-bazaar/shared/domain";
import { describe, expect, test } from "vitest";
import { orderOf, ordersOf } from "../support/builders.ts";

export interface OrderLogUnderTest {
  readonly log: OrderLog;
  /** Opens the stored orders again, as a new process would; absent if the store doesn't outlive a process. */
  readonly reopen?: () => Promise<OrderLog>;
}

/** Runs the suite. `makeLog` makes a new log for each test; `survives` means that the store outlives its connection. */
export function orderLogContract(
  name: string,
  { survives }: { survives: boolean },
  makeLog: () => Promise<OrderLogUnderTest>,
): void {
  const ids = (orders: readonly Order[]) => orders.map(({ id }) => id);

  describe(`order log ${name}`, () => {
    test("begins empty", async () => {
      const { log } = await makeLog();
      expect([log.last, log.lastId]).toEqual([undefined, 0]);
      expect(await log.after(0, 10)).toEqual([]);
      expect(await log.newest(0, 10)).toEqual([]);
      expect(await log.get(1)).toBeUndefined();
      await log.close();
    });

    test("appends the next orders and returns the last one", async () => {
      const { log } = await makeLog();
      await log.append(ordersOf(1, 3));
      expect([log.last, log.lastId]).toEqual([orderOf(3), 3]);
      await log.append(ordersOf(4, 4));
      expect([log.last, log.lastId]).toEqual([orderOf(4), 4]);
      expect(await log.after(0, 10)).toEqual(ordersOf(1, 4));
      await log.close();
    });

    test("appending nothing changes nothing", async () => {
      const { log } = await makeLog();
      await log.append([]);
      await log.append(ordersOf(1, 2));
      await log.append([]);
      expect(log.lastId).toBe(2);
      await log.close();
    });

    test.each([
      ["a gap before the first", ordersOf(5, 6)],
      ["a gap inside", [orderOf(4), orderOf(6)]],
      ["an order that is already stored", ordersOf(3, 5)],
      ["an order twice", [orderOf(4), orderOf(4)]],
      ["descending ids", [orderOf(5), orderOf(4)]],
    ])("refuses %s, and stores none of the chunk", async (_, orders) => {
      const { log } = await makeLog();
      await log.append(ordersOf(1, 3));
      await expect(log.append(orders)).rejects.toBeInstanceOf(Error);
      expect([log.last, log.lastId]).toEqual([orderOf(3), 3]);
      expect(await log.after(0, 10)).toEqual(ordersOf(1, 3));
      await log.append(ordersOf(4, 5));
      expect(log.lastId).toBe(5);
      await log.close();
    });

    test("stores nothing of a chunk in which one order fails", async () => {
      const { log } = await makeLog();
      await log.append(ordersOf(1, 3));
      await expect(log.append([orderOf(4), orderOf(5, { quantity: -1 })])).rejects.toBeInstanceOf(Error);
      expect(log.lastId).toBe(3);
      expect(ids(await log.after(0, 10))).toEqual([1, 2, 3]);
      await log.append(ordersOf(4, 5));
      expect(ids(await log.after(0, 10))).toEqual([1, 2, 3, 4, 5]);
      await log.close();
    });

    test("returns every column unchanged", async () => {
      const { log } = await makeLog();
      const orders = [
        orderOf(1, { name: "🦊 '; --", key: "x".repeat(255), type: "sell", quantity: 2_147_483_647 }),
        orderOf(2, { type: "restock", priceCents: 2 ** 40, term: 2 ** 40, createdAt: "2030-12-31T23:59:59.999Z" }),
      ];
      await log.append(orders);
      expect(await log.after(0, 10)).toEqual(orders);
      expect(await log.get(1)).toEqual(orders[0]);
      await log.close();
    });

    test("reads the orders after an id, up to a limit", async () => {
      const { log } = await makeLog();
      await log.append(ordersOf(1, 10));
      expect(ids(await log.after(3, 4))).toEqual([4, 5, 6, 7]);
      expect(ids(await log.after(8, 4))).toEqual([9, 10]);
      expect(await log.after(10, 4)).toEqual([]);
      await log.close();
    });

    test("reads the newest first, from the newest or from below an id", async () => {
      const { log } = await makeLog();
      await log.append(ordersOf(1, 10));
      expect(ids(await log.newest(0, 3))).toEqual([10, 9, 8]);
      expect(ids(await log.newest(8, 3))).toEqual([7, 6, 5]);
      expect(ids(await log.newest(2, 3))).toEqual([1]);
      expect(ids(await log.newest(1, 3))).toEqual([]);
      expect(ids(await log.newest(1000, 2))).toEqual([10, 9]);
      await log.close();
    });

    test("stores 10,000 orders in one chunk", async () => {
      const { log } = await makeLog();
      await log.append(ordersOf(1, 10_000));
      expect(log.lastId).toBe(10_000);
      expect(await log.get(10_000)).toEqual(orderOf(10_000));
      await log.close();
    });

    if (!survives) return;
    test("holds its orders after it was opened again, and appends to them", async () => {
      const { log, reopen } = await makeLog();
      if (!reopen) throw new Error("a store that survives must have a `reopen`");
      await log.append(ordersOf(1, 5));
      await log.close();
      const again = await reopen();
      expect([again.last, again.lastId]).toEqual([orderOf(5), 5]);
      expect(await again.after(0, 10)).toEqual(ordersOf(1, 5));
      await expect(again.append(ordersOf(7, 7))).rejects.toBeInstanceOf(Error);
      await again.append(ordersOf(6, 6));
      expect(again.lastId).toBe(6);
      await again.close();
    });
  });
}
