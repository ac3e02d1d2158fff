import { describe, expect, test } from "vitest";
import { Sessions } from "./sessions.ts";

const leaseMs = 500;
/** A lease and its margin of 15%. */
const keptMs = 575;

/** A catalog that started long ago. */
function sessions(): Sessions {
  return new Sessions({ leaseMs, foundLeaseMs: leaseMs, startedMs: -10_000 });
}

describe("a session is alone", () => {
  test("while no other session may serve, whether open or silent with a running lease", () => {
    const open = sessions();
    open.hello("a", 4, 0, "");
    expect(open.alone("a", 0)).toBe(true);
    open.hello("b", 4, 10, "");
    expect([open.alone("a", 20), open.alone("b", 20)]).toEqual([false, false]);
    open.renew("a", 4, 100);
    expect(open.alone("a", 10 + keptMs - 1)).toBe(false);
    expect(open.alone("a", 10 + keptMs)).toBe(true);
  });

  test("only once a lease has passed since the start: earlier sessions may still serve", () => {
    const started = new Sessions({ leaseMs, foundLeaseMs: leaseMs, startedMs: 1000 });
    started.hello("a", 4, 1000, "");
    expect(started.alone("a", 1000 + keptMs - 1)).toBe(false);
    expect(started.alone("a", 1000 + keptMs)).toBe(true);
  });

  test("after the others have said goodbye or were replaced", () => {
    const open = sessions();
    for (const id of ["a", "b", "c"]) open.hello(id, 4, 0, "");
    open.goodbye("b");
    expect(open.alone("a", 10)).toBe(false);
    open.hello("a2", 4, 10, "a");
    open.goodbye("c");
    expect(open.alone("a2", 10)).toBe(true);
  });
});

describe("a change is settled (R7)", () => {
  test("at once when there is no session", () => {
    expect(sessions().settled(7, 0)).toBe(7);
  });

  test("only when every session has acknowledged it", () => {
    const open = sessions();
    open.hello("a", 4, 0, "");
    open.hello("b", 4, 0, "");
    expect(open.settled(6, 10)).toBe(4);
    open.renew("a", 6, 20);
    expect(open.settled(6, 20)).toBe(4);
    open.renew("b", 5, 30);
    expect(open.settled(6, 30)).toBe(5);
    open.renew("b", 6, 40);
    expect(open.settled(6, 40)).toBe(6);
  });

  test("without the acknowledgement of sessions that began after it", () => {
    const open = sessions();
    open.hello("late", 9, 0, "");
    expect(open.settled(9, 0)).toBe(9);
    expect(open.settled(10, 0)).toBe(9);
  });

  test("for good: an acknowledgement that arrives after a newer one changes nothing", () => {
    const open = sessions();
    open.hello("a", 0, 0, "");
    open.renew("a", 6, 10);
    open.renew("a", 3, 20);
    expect(open.settled(6, 20)).toBe(6);
  });

  test("for good: a later session with a lower acknowledgement changes nothing", () => {
    const open = sessions();
    expect(open.settled(8, 0)).toBe(8);
    open.hello("a", 5, 10, "");
    expect(open.settled(8, 10)).toBe(8);
  });
});

describe("leases (R9)", () => {
  test("settling waits for a silent session until its lease has expired, with a margin for clocks that differ", () => {
    const open = sessions();
    open.hello("a", 1, 0, "");
    expect(open.settled(2, keptMs - 1)).toBe(1);
    expect(open.settled(2, keptMs)).toBe(2);
    expect(open.has("a")).toBe(false);
  });

  test("an acknowledgement renews the lease, counted from its receipt", () => {
    const open = sessions();
    open.hello("a", 1, 0, "");
    expect(open.renew("a", 1, 400)).toBe(true);
    expect(open.settled(2, 400 + keptMs - 1)).toBe(1);
    expect(open.settled(2, 400 + keptMs)).toBe(2);
  });

  test("a session whose lease has expired can't be renewed: its front-end has missed changes", () => {
    const open = sessions();
    open.hello("a", 1, 0, "");
    expect(open.renew("a", 1, keptMs)).toBe(false);
    expect(open.settled(2, keptMs)).toBe(2);
    expect(open.renew("a", 2, keptMs + 1)).toBe(false);
  });

  test("a session that was never begun can't be renewed", () => {
    expect(sessions().renew("unknown", 5, 0)).toBe(false);
  });

  test("nextExpiryMs returns the next end of a lease", () => {
    const open = sessions();
    expect(open.nextExpiryMs(0)).toBeUndefined();
    open.hello("a", 0, 0, "");
    open.hello("b", 0, 100, "");
    expect(open.nextExpiryMs(100)).toBe(keptMs);
    open.renew("a", 0, 300);
    expect(open.nextExpiryMs(300)).toBe(100 + keptMs);
  });
});

describe("beginning and ending", () => {
  test("a delayed duplicate of a hello does not raise what the session has acknowledged", () => {
    const open = sessions();
    open.hello("a", 4, 0, "");
    // Order 5 changes a stock that the front-end holds in its cache; the message about it is still in flight.
    open.hello("a", 5, 10, "");
    expect(open.settled(5, 10)).toBe(4);
    open.renew("a", 5, 20);
    expect(open.settled(5, 20)).toBe(5);
  });

  test("a hello that replaces a session ends that session", () => {
    const open = sessions();
    open.hello("old", 4, 0, "");
    open.hello("new", 6, 10, "old");
    expect(open.has("old")).toBe(false);
    expect(open.settled(6, 10)).toBe(6);
  });

  test("a hello ends only the session that it replaces", () => {
    const open = sessions();
    open.hello("other", 4, 0, "");
    open.hello("new", 6, 10, "");
    expect(open.settled(6, 10)).toBe(4);
  });

  test("after a goodbye, settling doesn't wait for that session", () => {
    const open = sessions();
    open.hello("a", 4, 0, "");
    open.goodbye("a");
    expect(open.settled(6, 10)).toBe(6);
    expect(open.renew("a", 6, 10)).toBe(false);
  });
});

describe("after a start (R9)", () => {
  test("nothing is settled until a lease has passed: sessions with the earlier catalog may still serve", () => {
    const started = new Sessions({ leaseMs, foundLeaseMs: leaseMs, startedMs: 1000 });
    expect(started.settled(6, 1000)).toBe(0);
    expect(started.nextExpiryMs(1000)).toBe(1000 + keptMs);
    expect(started.settled(6, 1000 + keptMs - 1)).toBe(0);
    expect(started.settled(6, 1000 + keptMs)).toBe(6);
  });

  test("new sessions don't shorten the wait for the earlier ones", () => {
    const started = new Sessions({ leaseMs, foundLeaseMs: leaseMs, startedMs: 1000 });
    started.hello("a", 6, 1001, "");
    started.renew("a", 6, 1100);
    expect(started.settled(6, 1100)).toBe(0);
    expect(started.nextExpiryMs(1100)).toBe(1000 + keptMs);
    expect(started.settled(6, 1000 + keptMs)).toBe(6);
  });
});
