import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Copies } from "./copies.ts";

describe("one copy is demanded", () => {
  test("an order is confirmed when the leader has committed it", () => {
    const copies = new Copies({ minCopies: 1, ownId: 4 });
    expect(copies.confirmedId).toBe(4);
    copies.stored(6);
    expect(copies.confirmedId).toBe(6);
  });

  test("no follower is waited for", () => {
    const copies = new Copies({ minCopies: 1, ownId: 4 });
    copies.joined(1, 4);
    copies.acknowledged(1, 4, 4);
    copies.stored(8);
    expect(copies.confirmedId).toBe(8);
  });

  test("an order that only followers hold is not confirmed", () => {
    const copies = new Copies({ minCopies: 1, ownId: 4 });
    copies.joined(1, 4);
    copies.acknowledged(1, 9, 9);
    expect(copies.confirmedId).toBe(4);
  });

  test("a follower must not acknowledge more than the leader's tail", () => {
    const copies = new Copies({ minCopies: 1, ownId: 4 });
    copies.joined(1, 4);
    expect(() => copies.acknowledged(1, 9, 8)).toThrow("must hold: acked ≤ tail (got 9 and 8)");
  });
});

describe("two copies are demanded (R5)", () => {
  test("an order is confirmed when the leader and the fastest follower have committed it", () => {
    const copies = new Copies({ minCopies: 2, ownId: 10 });
    expect(copies.confirmedId).toBe(0);
    copies.joined(1, 6);
    expect(copies.confirmedId).toBe(6);
    copies.joined(2, 10);
    expect(copies.confirmedId).toBe(10);
    copies.stored(12);
    expect(copies.confirmedId).toBe(10);
    copies.acknowledged(2, 12, 12);
    expect(copies.confirmedId).toBe(12);
  });

  test("two followers don't make up for the leader", () => {
    const copies = new Copies({ minCopies: 2, ownId: 10 });
    for (const replica of [1, 2]) {
      copies.joined(replica, 10);
      copies.acknowledged(replica, 12, 12);
    }
    expect(copies.confirmedId).toBe(10);
    copies.stored(12);
    expect(copies.confirmedId).toBe(12);
  });

  test("a follower that has left no longer counts, and counts again from where it joins", () => {
    const copies = new Copies({ minCopies: 2, ownId: 10 });
    copies.joined(1, 10);
    copies.left(1);
    expect(copies.confirmedId).toBe(0);
    copies.joined(1, 3);
    expect(copies.confirmedId).toBe(3);
  });

  test("an acknowledgement of a replica that hasn't joined doesn't count", () => {
    const copies = new Copies({ minCopies: 2, ownId: 4 });
    copies.acknowledged(7, 4, 4);
    expect(copies.confirmedId).toBe(0);
  });
});

test("after any sequence of events, the confirmed id matches its definition", () => {
  const replica = fc.integer({ min: 1, max: 3 });
  const id = fc.nat(12);
  const step = fc.oneof(
    fc.record({ do: fc.constant("stored" as const), id }),
    fc.record({ do: fc.constant("joined" as const), replica, id }),
    fc.record({ do: fc.constant("left" as const), replica }),
    fc.tuple(replica, id, id).map(([one, a, b]) => ({
      do: "acknowledged" as const,
      replica: one,
      id: Math.min(a, b),
      tailId: Math.max(a, b),
    })),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 40 }), (minCopies, steps) => {
      const copies = new Copies({ minCopies, ownId: 0 });
      let ownId = 0;
      const followers = new Map<number, number>();
      for (const move of steps) {
        switch (move.do) {
          case "stored":
            copies.stored(move.id);
            ownId = Math.max(ownId, move.id);
            break;
          case "joined":
            copies.joined(move.replica, move.id);
            followers.set(move.replica, move.id);
            break;
          case "left":
            copies.left(move.replica);
            followers.delete(move.replica);
            break;
          case "acknowledged": {
            copies.acknowledged(move.replica, move.id, move.tailId);
            const before = followers.get(move.replica);
            if (before !== undefined) followers.set(move.replica, Math.max(before, move.id));
            break;
          }
        }
        // The greatest id that the leader and enough of all replicas hold.
        let confirmedId = 0;
        for (let candidate = 1; candidate <= 12; candidate += 1) {
          const count = [ownId, ...followers.values()].filter((held) => held >= candidate).length;
          if (ownId >= candidate && count >= minCopies) confirmedId = candidate;
        }
        expect(copies.confirmedId).toBe(confirmedId);
      }
    }),
  );
});
