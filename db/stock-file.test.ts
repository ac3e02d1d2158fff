import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { defaultStocksFile } from "./seed.ts";
import { parseStockFile, parseStocks } from "./stock-file.ts";

const parse = (text: string) => parseStocks(new TextEncoder().encode(text), "my.csv");
const columnsRule =
  "my.csv, line 1: must name the columns name,price,quantity, and may name volume; or four lines must hold all names, prices, quantities and volumes";
const parseRows = (...rows: string[]) => parse(["name,price,quantity", ...rows, ""].join("\n"));

describe("a file of stocks", () => {
  test("may have quotes, a byte order mark, Windows line ends and empty lines", () => {
    const text =
      '\ufeff"name",price,quantity\r\n"Sons, ""and"" Daughters",15.99,100\r\n\r\nTux,7,0\r\nÆther 😀,0.5,2147483647';
    expect(parse(text)).toEqual([
      { name: 'Sons, "and" Daughters', priceCents: 1599, quantity: 100 },
      { name: "Tux", priceCents: 700, quantity: 0 },
      { name: "Æther 😀", priceCents: 50, quantity: 2_147_483_647 },
    ]);
  });

  test("has prices to the cent, without the errors of floating point", () => {
    // In floating point, none of them times 100 is a whole number.
    const prices = ["0.29", "1.1", "4.35", "8.2", "15.99", "19.99", "1001.15", "999999999.99"];
    const cents = parseRows(...prices.map((price, index) => `Stock${index},${price},1`)).map(
      ({ priceCents }) => priceCents,
    );
    expect(cents).toEqual([29, 110, 435, 820, 1599, 1999, 100_115, 99_999_999_999]);
  });

  test("takes every price from 0.01 to 99.99", () => {
    const prices = Array.from({ length: 9999 }, (_, index) => ((index + 1) / 100).toFixed(2));
    const cents = parseRows(...prices.map((price) => `S${price},${price},1`)).map(({ priceCents }) => priceCents);
    expect(cents).toEqual(Array.from({ length: 9999 }, (_, index) => index + 1));
  });

  test.each([
    ["A,15.999,1", "price", '"15.999"'],
    ["A,0,1", "price", '"0"'],
    ["A,0.00,1", "price", '"0.00"'],
    ["A,-1,1", "price", '"-1"'],
    ["A,$5,1", "price", '"$5"'],
    ["A,1e3,1", "price", '"1e3"'],
    ["A,.5,1", "price", '".5"'],
    ["A, 5,1", "price", '" 5"'],
    ["A,1000000000,1", "price", '"1000000000"'],
    ['A,"1,50",1', "price", '"1,50"'],
    ["A,1,1.5", "quantity", '"1.5"'],
    ["A,1,-1", "quantity", '"-1"'],
    ["A,1,2147483648", "quantity", '"2147483648"'],
    ["A,1,", "quantity", '""'],
    [",1,1", "name", '""'],
    [" A,1,1", "name", '" A"'],
    [".,1,1", "name", '"."'],
    ["..,1,1", "name", '".."'],
    ["A\u00a0,1,1", "name", '"A\u00a0"'],
    ['"A\nB",1,1', "name", '"A\\nB"'],
    ["A\u0007,1,1", "name", '"A\\u0007"'],
    [`${"x".repeat(256)},1,1`, "name", '"xxx'],
  ])("%j is refused with its place, what it must be and its value", (row, column, value) => {
    expect(() => parseRows("Fine,1,1", row)).toThrow(`my.csv, line 3, column ${column}: must be `);
    expect(() => parseRows("Fine,1,1", row)).toThrow(` (got ${value}`);
  });

  test("may have names of 255 characters", () => {
    expect(parseRows(`${"x".repeat(255)},1,1`)).toHaveLength(1);
  });

  test("has each name once", () => {
    expect(() => parseRows("A,1,1", "B,1,1", "A,2,2")).toThrow(
      'my.csv, line 4, column name: names must differ (got "A", which line 2 has already)',
    );
  });

  test("has three columns in every row", () => {
    expect(() => parseRows("A,1")).toThrow("my.csv, line 2: must have 3 columns, name,price,quantity (got 2)");
    expect(() => parseRows("A,1,1,1")).toThrow("my.csv, line 2: must have 3 columns, name,price,quantity (got 4)");
  });

  test("reports all problems at once: ten are listed, the others are counted", () => {
    expect(() => parseRows("A,x,1", "B,1,1", "C,1,y")).toThrow(/line 2.*\n.*line 4/);
    expect(() => parseRows(...Array.from({ length: 14 }, (_, index) => `S${index},x,1`))).toThrow(
      /line 11.*\nmy.csv: and 4 more problems$/,
    );
  });

  test.each([
    ["", `${columnsRule} (got nothing)`],
    ["name;price;quantity\nA;1;1", `${columnsRule} (got "name;price;quantity")`],
    ["A,1,1", `${columnsRule} (got "A,1,1")`],
    ["name,price,quantity\n", "my.csv: must have at least one stock (got only a first line)"],
    ['name,price,quantity\n"A,1,1\n', "my.csv: must be CSV (Quote Not Closed"],
  ])("%j is refused as a whole", (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  test("is UTF-8", () => {
    expect(() => parseStocks(new Uint8Array([0x41, 0xff, 0xfe]), "my.csv")).toThrow("my.csv: must be text in UTF-8");
  });
});

test("there are ten default stocks of 100 units each, with the four names that people expect", () => {
  const stocks = parseStocks(readFileSync(defaultStocksFile), defaultStocksFile);
  expect(stocks).toHaveLength(10);
  expect(stocks.every(({ quantity }) => quantity === 100)).toBe(true);
  expect(stocks).toContainEqual({ name: "GameStart", priceCents: 1599, quantity: 100 });
  expect(stocks.map(({ name }) => name)).toEqual(expect.arrayContaining(["FishCo", "BoarCo", "MenhirCo"]));
});

describe("a file of an earlier system", () => {
  const stocks = [
    { name: "GameStart", priceCents: 1599, quantity: 9026 },
    { name: "Toy_Truck-2", priceCents: 850, quantity: 0 },
  ];

  test.each([
    ["a row for each column", "GameStart,Toy_Truck-2\n15.99,8.5\n9026.0,0.0\n974.0,12.0"],
    ["the same with an index", ",GameStart,Toy_Truck-2\r\n0,15.99,8.50\r\n1,9026.0,0.0\r\n2,974.0,12.0\r\n"],
    ["a trading volume", "name,price,quantity,trading_volume\nGameStart,15.99,9026,974\nToy_Truck-2,8.5,0,12\n"],
    ["other names", "stockname,price,currvol\nGameStart,15.99,9026\nToy_Truck-2,8.5,0"],
    ["products", "product_name,price,quantity\nGameStart,15.99,9026\nToy_Truck-2,8.5,0"],
    ["capitals", "\ufeffName,Price,Quantity,Volume\r\nGameStart,15.99,9026,974\r\nToy_Truck-2,8.500,0,12"],
    ["columns in another order", "Quantity,Product Name,PRICE\n9026,GameStart,15.99\n0,Toy_Truck-2,8.5\n"],
  ])("with %s is read", (_case, text) => {
    expect(parse(text)).toEqual(stocks);
  });

  test("has volumes and places", () => {
    const text = "Name,Price,Quantity,Volume\nA,1,2,3\n";
    expect(parseStockFile(new TextEncoder().encode(text), "my.csv")).toEqual([
      { name: "A", priceCents: 100, quantity: 2, volume: 3, place: "my.csv, line 2" },
    ]);
    expect(parseStockFile(new TextEncoder().encode("A,B\n1,2\n3,4\n5,6"), "my.csv")[1]).toEqual({
      name: "B",
      priceCents: 200,
      quantity: 4,
      volume: 6,
      place: "my.csv, column 2",
    });
  });

  test.each([
    [
      "A,B\n1,2.999\n3,4\n5,6",
      'my.csv, line 2, column 2: must be a number from 0.01 to 999999999.99 with at most two decimals (got "2.999")',
    ],
    ["A,B\n1,2\n3,-4\n5,6", 'my.csv, line 3, column 2: must be a whole number from 0 to 2147483647 (got "-4")'],
    ["A,B\n1,2\n3,4.5\n5,6", 'my.csv, line 3, column 2: must be a whole number from 0 to 2147483647 (got "4.5")'],
    ["A,A\n1,2\n3,4\n5,6", 'my.csv, line 1, column 2: names must differ (got "A", which column 1 has already)'],
    [
      "stockname,price,currvol\nA,1,x",
      'my.csv, line 2, column currvol: must be a whole number from 0 to 2147483647 (got "x")',
    ],
    [
      "name,price,quantity,volume\nA,1,1,-1",
      'my.csv, line 2, column volume: must be a whole number from 0 to 4503599627370496 (got "-1")',
    ],
    ["name,price,quantity,volume\nA,1,1,4503599627370497", "a whole number from 0 to 4503599627370496"],
    ["name,price,quantity,colour\nA,1,1,red", `${columnsRule} (got "name,price,quantity,colour")`],
    ["name,price,quantity,Quantity\nA,1,1,1", `${columnsRule} (got "name,price,quantity,Quantity")`],
    ["A,B\n1,2\n3\n5,6", `${columnsRule} (got "A,B")`],
  ])("%j is refused with its place", (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
});
