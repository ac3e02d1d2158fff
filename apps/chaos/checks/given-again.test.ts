import { expect, test } from "vitest";
import { soundDatabases, soundRecords, tradeRecord } from "../../../test/support/sound-databases.ts";
import { numbersGivenAgain } from "./given-again.ts";

const buy = { key: "new", name: "GameStart", type: "buy", quantity: 1 } as const;

test("a number that the ledger has under another key is reported, however low it is", () => {
  const given = (orderNumber: number) =>
    numbersGivenAgain(soundDatabases(), soundRecords(), [tradeRecord(buy, { orderNumber })]).map(({ text }) => text);
  expect(given(3)).toEqual(["key new received the number 3, after order 3 had been acknowledged"]);
  expect(given(1)).toEqual(["key new received the number 1, after order 3 had been acknowledged"]);
  expect(given(4)).toEqual([]);
});

test("late and repeated replies are not reported: the ledger has their number under their key", () => {
  const folders = soundDatabases();
  const records = soundRecords();
  expect(numbersGivenAgain(folders, records, records)).toEqual([]);
  const rejected = tradeRecord(buy, { status: 400, reason: "INSUFFICIENT_QUANTITY", orderNumber: undefined });
  expect(numbersGivenAgain(folders, records, [rejected])).toEqual([]);
});
