/** Arbitraries that HTTP and gRPC share: names, keys and other texts, from usual ones to wild ones. */

import fc from "fast-check";

/** Most of the initial stocks. */
export const stockNames = [
  "GameStart",
  "FishCo",
  "BoarCo",
  "MenhirCo",
  "PotionWorks",
  "TinWhistle",
  "HarborRope",
] as const;

/** Texts that have surprised programs before. */
export const oddTexts = [
  "",
  " ",
  ".",
  "..",
  "../../etc/passwd",
  "%",
  "%zz",
  "%00",
  "%2F",
  "%c0%af",
  "\0",
  "a\0b",
  "\ud800",
  "\udfff",
  "\ufeff",
  "\ufffd",
  "é",
  "e\u0301",
  "💥",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "null",
  "undefined",
  "NaN",
  "true",
  "-1",
  "0",
  "1e3",
  "0x10",
  "9007199254740993",
  "18446744073709551615",
  "' OR 1=1 --",
  '"; DROP TABLE stocks; --',
  "${7*7}",
  "<script>alert(1)</script>",
  "GameStart ",
  "gamestart",
  "GameStart\0",
  "a".repeat(255),
  "a".repeat(256),
  "é".repeat(255),
  "💥".repeat(128),
  "a".repeat(4000),
] as const;

export const oddNumbers = [
  0,
  -0,
  -1,
  1,
  0.5,
  1.5,
  1e-9,
  100,
  101,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  1e21,
  1e308,
  -(2 ** 53),
] as const;

export const wildText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...oddTexts) },
  { weight: 2, arbitrary: fc.string({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
);

export const stockName = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...stockNames) },
  { weight: 1, arbitrary: fc.constantFrom("Unknown", "NoSuchStock") },
  { weight: 2, arbitrary: wildText },
);

/** Few enough that keys come again, with the same trade and with others. */
export const repeatedKey = fc.integer({ min: 1, max: 400 }).map((number) => `fuzz-key-${number}`);

export const freshKey = fc.uuid();
