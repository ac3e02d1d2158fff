import { expect, test } from "vitest";
import { soundDatabases, soundRecords, tradeRecord } from "../../../test/support/sound-databases.ts";
import { numbersGivenAgain } from "./given-again.ts";

const buy = { key: "new", name: "GameStart", type: "buy", quantity: 1 } as const;

test("a number that the ledger has under another key is reported, however low it is", async () => {
  const given = async (orderNumber: number) =>
    (await numbersGivenAgain(soundDatabases(), soundRecords(), [tradeRecord(buy, { orderNumber })])).map(
      ({ text }) => text,
    );
  expect(await given(3)).toEqual(["key new received the number 3, after order 3 had been acknowledged"]);
  expect(await given(1)).toEqual(["key new received the number 1, after order 3 had been acknowledged"]);
  expect(await given(4)).toEqual([]);
});

test("late and repeated replies are not reported: the ledger has their number under their key", async () => {
  const folders = soundDatabases();
  const records = soundRecords();
  expect(await numbersGivenAgain(folders, records, records)).toEqual([]);
  const rejected = tradeRecord(buy, { status: 400, reason: "INSUFFICIENT_QUANTITY", orderNumber: undefined });
  expect(await numbersGivenAgain(folders, records, [rejected])).toEqual([]);
});
