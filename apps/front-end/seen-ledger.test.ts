import { expect, test } from "vitest";
import { SeenLedger } from "./seen-ledger.ts";

const life = "life";

test("no head is seen before the first report", () => {
  const ledger = new SeenLedger();
  expect(ledger.seen).toBeUndefined();
  // An order's id is meaningless without the life of its ledger.
  ledger.reaches(5, undefined);
  expect(ledger.seen).toBeUndefined();
});

test("within a life the head never falls, even if an answer arrives late", () => {
  const ledger = new SeenLedger();
  ledger.ends({ life, head: 7 });
  ledger.ends({ life, head: 4 });
  expect(ledger.seen).toEqual({ life, head: 7 });
  ledger.ends({ life, head: 9 });
  expect(ledger.seen).toEqual({ life, head: 9 });
});

test("another life begins with its own head: a rebuilt ledger may be shorter than the lost one", () => {
  const ledger = new SeenLedger();
  ledger.ends({ life, head: 7 });
  ledger.ends({ life: "rebuilt", head: 5 });
  expect(ledger.seen).toEqual({ life: "rebuilt", head: 5 });
});

test("an order's id counts if the life is still the one that was known when the request was sent", () => {
  const ledger = new SeenLedger();
  ledger.ends({ life, head: 7 });
  const asked = ledger.seen;
  ledger.reaches(8, asked);
  expect(ledger.seen).toEqual({ life, head: 8 });
  ledger.reaches(3, asked);
  expect(ledger.seen).toEqual({ life, head: 8 });
});

test("an order's id is ignored if the ledger was rebuilt or first seen after the request was sent", () => {
  const ledger = new SeenLedger();
  ledger.ends({ life, head: 7 });
  const asked = ledger.seen;
  ledger.ends({ life: "rebuilt", head: 5 });
  ledger.reaches(8, asked);
  ledger.reaches(8, undefined);
  expect(ledger.seen).toEqual({ life: "rebuilt", head: 5 });
});
