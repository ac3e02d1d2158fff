import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Copies } from "./copies.ts";

describe("one copy is enough", () => {
  test("an order is confirmed when the leader's own disk holds it", () => {
    const copies = new Copies({ minCopies: 1, ownId: 4 });
    expect(copies.confirmedId).toBe(4);
    copies.stored(6);
    expect(copies.confirmedId).toBe(6);
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
    expect(copies.live).toEqual([]);
  });

  test("confirmation waits for a live follower", () => {
    const copies = new Copies({ minCopies: 1, ownId: 4 });
    copies.joined(1, 4);
    copies.acknowledged(1, 4, 4);
    copies.stored(8);
    expect(copies.confirmedId).toBe(4);
    copies.acknowledged(1, 7, 8);
    expect(copies.confirmedId).toBe(7);
  });

  test("confirmation doesn't wait for a follower that is still catching up", () => {
    const copies = new Copies({ minCopies: 1, ownId: 100 });
    copies.joined(1, 3);
    expect(copies.acknowledged(1, 50, 100)).toBe(false);
    expect(copies.confirmedId).toBe(100);
    expect(copies.live).toEqual([]);
  });

  test("confirmation doesn't wait for a follower that has left", () => {
    const copies = new Copies({ minCopies: 1, ownId: 4 });
    copies.joined(1, 4);
    copies.acknowledged(1, 4, 4);
    copies.stored(8);
    copies.left(1);
    expect(copies.confirmedId).toBe(8);
  });
});

describe("a follower becomes live", () => {
  test("when it reaches the newest order that was sent; this is reported once", () => {
    const copies = new Copies({ minCopies: 1, ownId: 100 });
    copies.joined(2, 3);
    expect(copies.acknowledged(2, 99, 100)).toBe(false);
    expect(copies.acknowledged(2, 100, 100)).toBe(true);
    expect(copies.acknowledged(2, 101, 101)).toBe(false);
    expect(copies.live).toEqual([2]);
  });

  test("again after it was dropped, once it has caught up", () => {
    const copies = new Copies({ minCopies: 1, ownId: 4 });
    copies.joined(2, 4);
    copies.acknowledged(2, 4, 4);
    copies.stored(9);
    expect(copies.dropSlower(9)).toEqual([2]);
    expect(copies.confirmedId).toBe(9);
    copies.stored(20);
    expect(copies.acknowledged(2, 9, 20)).toBe(false);
    expect(copies.live).toEqual([]);
    expect(copies.acknowledged(2, 20, 20)).toBe(true);
    expect(copies.live).toEqual([2]);
  });

  test("only after it has caught up when it joins again, even if it was live before", () => {
    const copies = new Copies({ minCopies: 1, ownId: 4 });
    copies.joined(2, 4);
    copies.acknowledged(2, 4, 4);
    copies.joined(2, 1);
    expect(copies.live).toEqual([]);
    expect(copies.confirmedId).toBe(4);
  });

  test("never by an acknowledgement without having joined", () => {
    const copies = new Copies({ minCopies: 2, ownId: 4 });
    expect(copies.acknowledged(7, 4, 4)).toBe(false);
    expect(copies.confirmedId).toBe(0);
  });

  test("and is dropped only if it is slow", () => {
    const copies = new Copies({ minCopies: 1, ownId: 4 });
    for (const replica of [1, 2, 3]) {
      copies.joined(replica, 4);
      copies.acknowledged(replica, 4, 4);
    }
    copies.stored(6);
    copies.acknowledged(1, 6, 6);
    copies.acknowledged(3, 5, 6);
    expect(copies.dropSlower(6)).toEqual([2, 3]);
    expect(copies.dropSlower(6)).toEqual([]);
    expect(copies.live).toEqual([1]);
  });
});

describe("more than one copy (R5)", () => {
  test("an order is confirmed on the second disk, and only when every live follower holds it", () => {
    const copies = new Copies({ minCopies: 2, ownId: 10 });
    expect(copies.confirmedId).toBe(0);
    copies.joined(1, 6);
    expect(copies.confirmedId).toBe(6);
    copies.joined(2, 10);
    copies.acknowledged(2, 10, 10);
    expect(copies.confirmedId).toBe(10);
    copies.acknowledged(1, 10, 10);
    copies.stored(12);
    copies.acknowledged(2, 12, 12);
    expect(copies.confirmedId).toBe(10);
  });

  test("the copies of a dropped follower still count", () => {
    const copies = new Copies({ minCopies: 2, ownId: 4 });
    copies.joined(1, 4);
    copies.acknowledged(1, 4, 4);
    copies.stored(9);
    copies.acknowledged(1, 7, 9);
    copies.dropSlower(9);
    expect(copies.confirmedId).toBe(7);
  });

  test("`enough` is true only while enough replicas are live", () => {
    const copies = new Copies({ minCopies: 2, ownId: 4 });
    expect(copies.enough).toBe(false);
    copies.joined(1, 2);
    expect(copies.enough).toBe(false);
    copies.acknowledged(1, 4, 4);
    expect(copies.enough).toBe(true);
    copies.left(1);
    expect(copies.enough).toBe(false);
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
    fc.record({ do: fc.constant("drop" as const), id }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 40 }), (minCopies, steps) => {
      const copies = new Copies({ minCopies, ownId: 0 });
      let ownId = 0;
      const followers = new Map<number, { ackedId: number; live: boolean }>();
      for (const move of steps) {
        switch (move.do) {
          case "stored":
            copies.stored(move.id);
            ownId = Math.max(ownId, move.id);
            break;
          case "joined":
            copies.joined(move.replica, move.id);
            followers.set(move.replica, { ackedId: move.id, live: false });
            break;
          case "left":
            copies.left(move.replica);
            followers.delete(move.replica);
            break;
          case "acknowledged": {
            copies.acknowledged(move.replica, move.id, move.tailId);
            const follower = followers.get(move.replica);
            if (!follower) break;
            follower.ackedId = Math.max(follower.ackedId, move.id);
            follower.live ||= follower.ackedId >= move.tailId;
            break;
          }
          case "drop":
            copies.dropSlower(move.id);
            for (const follower of followers.values()) if (follower.ackedId < move.id) follower.live = false;
            break;
        }
        // The greatest id that the leader, every live follower, and enough of all replicas hold.
        const holds = (held: number, ofId: number) => held >= ofId;
        let confirmedId = 0;
        for (let candidate = 1; candidate <= 12; candidate += 1) {
          const all = [...followers.values()];
          const count = [ownId, ...all.map(({ ackedId }) => ackedId)].filter((held) => holds(held, candidate)).length;
          const live = all.every((follower) => !follower.live || holds(follower.ackedId, candidate));
          if (holds(ownId, candidate) && live && count >= minCopies) confirmedId = candidate;
        }
        expect(copies.confirmedId).toBe(confirmedId);
        expect(copies.live).toEqual(
          [...followers]
            .filter(([, { live }]) => live)
            .map(([key]) => key)
            .sort((a, b) => a - b),
        );
      }
    }),
  );
});
