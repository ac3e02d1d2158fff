import { expect, test } from "vitest";
import { SeenLedger } from "./seen-ledger.ts";

const life = "life";

test("nothing is seen before somebody says how long the ledger is", () => {
  const ledger = new SeenLedger();
  expect(ledger.seen).toBeUndefined();
  // An order's number says nothing without the ledger that it is of.
  ledger.reaches(5, undefined);
  expect(ledger.seen).toBeUndefined();
});

test("within a life what is seen never gets shorter: an answer that comes late takes nothing back", () => {
  const ledger = new SeenLedger();
  ledger.ends({ life, head: 7 });
  ledger.ends({ life, head: 4 });
  expect(ledger.seen).toEqual({ life, head: 7 });
  ledger.ends({ life, head: 9 });
  expect(ledger.seen).toEqual({ life, head: 9 });
});

test("another life begins with its own end: a rebuilt ledger may be shorter than the lost one", () => {
  const ledger = new SeenLedger();
  ledger.ends({ life, head: 7 });
  ledger.ends({ life: "rebuilt", head: 5 });
  expect(ledger.seen).toEqual({ life: "rebuilt", head: 5 });
});

test("an order's number counts in the life that was seen when its question was sent", () => {
  const ledger = new SeenLedger();
  ledger.ends({ life, head: 7 });
  const asked = ledger.seen;
  ledger.reaches(8, asked);
  expect(ledger.seen).toEqual({ life, head: 8 });
  ledger.reaches(3, asked);
  expect(ledger.seen).toEqual({ life, head: 8 });
});

test("an order's number is ignored when the ledger was rebuilt, or first seen, after its question was sent", () => {
  const ledger = new SeenLedger();
  ledger.ends({ life, head: 7 });
  const asked = ledger.seen;
  ledger.ends({ life: "rebuilt", head: 5 });
  ledger.reaches(8, asked);
  ledger.reaches(8, undefined);
  expect(ledger.seen).toEqual({ life: "rebuilt", head: 5 });
});
