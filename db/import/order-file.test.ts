import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { type OrderLine, readOrderFile, type WrongLine } from "./order-file.ts";

async function read(content: string | Uint8Array): Promise<(OrderLine | WrongLine)[]> {
  const file = join(temporaryFolder(), "orders");
  writeFileSync(file, content);
  const all: (OrderLine | WrongLine)[] = [];
  for await (const batch of readOrderFile(file)) all.push(...batch);
  return all;
}

const sell = { number: 1176, name: "GameStart", type: "sell", quantity: 1 };
const buy = { number: 3, name: "Toy_Truck-2", type: "buy", quantity: 20 };

describe("the orders of an earlier system", () => {
  test.each([
    [
      "a log in text",
      "1176 - Stockname: GameStart Quantity: 1 Order: sell\n3  -  Stockname:   Toy_Truck-2    Quantity: 20  Order:  buy  ",
      [1, 2],
    ],
    [
      "transaction_number",
      "transaction_number,stock_name,order_type,trade_quantity\n1176,GameStart,sell,1\n3,Toy_Truck-2,buy,20\n",
      [2, 3],
    ],
    [
      "stockname and ordertype",
      "transaction_number,stockname,ordertype,quantity\n1176,GameStart,SELL,1\n3,Toy_Truck-2,BUY,20",
      [2, 3],
    ],
    [
      "TransactionNumber",
      "TransactionNumber,Name,Type,VolumeTraded\n1176,GameStart,Sell,1\n\n3,Toy_Truck-2,Buy,20.0\n",
      [2, 4],
    ],
    [
      "what an export writes",
      'number,name,type,quantity,price,created_at,key,term\n1176,GameStart,sell,1,15.99,x,"a,b",2\n3,Toy_Truck-2,buy,20,1.00,x,k,2\n',
      [2, 3],
    ],
    [
      "objects in JSON",
      '{"number":1176,"name":"GameStart","type":"sell","quantity":1,"price":15.99}\n{"quantity":20,"type":"buy","name":"Toy_Truck-2","number":3}',
      [1, 2],
    ],
  ])("with %s are understood, whatever ends the lines and with a byte order mark", async (_case, text, lines) => {
    const orders = [
      { line: lines[0], ...sell },
      { line: lines[1], ...buy },
    ];
    expect(await read(text)).toEqual(orders);
    expect(await read(`\ufeff${text.trimEnd().replaceAll("\n", "\r\n")}`)).toEqual(orders);
    expect(await read(`${text.trimEnd()}\n`)).toEqual(orders);
  });

  test("are buys if they have no type", async () => {
    expect(await read("Order number,Product name,Quantity\n0,Toy_Truck-2,20\n")).toEqual([
      { line: 2, ...buy, number: 0 },
    ]);
  });

  test.each(["", "\n\n", "\ufeff", "Order number,Product name,Quantity"])("%j are none", async (text) => {
    expect(await read(text)).toEqual([]);
  });

  test("are read in parts, even if a part ends within a line or a character", async () => {
    const names = Array.from({ length: 40_000 }, (_, index) => `Æther 😀 ${index}`);
    const lines = names.map((name, index) => `${index + 1} - Stockname: ${name} Quantity: 1 Order: buy`);
    const csv = ["number,name,type,quantity", ...names.map((name, index) => `${index + 1},${name},buy,1`)];
    const log = await read(lines.join("\n"));
    expect(log.map((line) => ("name" in line ? line.name : line.problem))).toEqual(names);
    expect(log.at(-1)).toMatchObject({ line: 40_000, number: 40_000 });
    const table = await read(csv.join("\n"));
    expect(table.map((line) => ("name" in line ? line.name : line.problem))).toEqual(names);
    expect(table.at(-1)).toMatchObject({ line: 40_001, number: 40_000 });
  });
});

describe("a wrong line is reported with what it must be", () => {
  test.each([
    ["-1,A,buy,1", 'number must be a whole number from 0 to 999999999999999 (got "-1")'],
    ["1.5,A,buy,1", 'number must be a whole number from 0 to 999999999999999 (got "1.5")'],
    ["1,,buy,1", 'name must be the name of a stock (got "")'],
    ["1,A,give,1", 'type must be buy or sell (got "give")'],
    ["1,A,,1", 'type must be buy or sell (got "")'],
    ["1,A,buy,0", 'quantity must be a whole number from 1 to 2147483647 (got "0")'],
    ["1,A,buy,2147483648", 'quantity must be a whole number from 1 to 2147483647 (got "2147483648")'],
    ["1,A,buy,-1", 'quantity must be a whole number from 1 to 2147483647 (got "-1")'],
    ["1,A,buy", "must have 4 columns, number,name,type,quantity (got 3)"],
  ])("%s", async (row, problem) => {
    expect(await read(`number,name,type,quantity\n1,A,buy,1\n${row}\n`)).toEqual([
      { line: 2, number: 1, name: "A", type: "buy", quantity: 1 },
      { line: 3, problem },
    ]);
  });

  test("in a log, and in JSON", async () => {
    const [, log] = await read("1 - Stockname: A Quantity: 1 Order: buy\n2 - Stock: A");
    expect(log).toEqual({
      line: 2,
      problem: 'must be like "1176 - Stockname: GameStart Quantity: 1 Order: sell" (got "2 - Stock: A")',
    });
    expect(await read('{"number":1}\n{"number":1,"na')).toEqual([
      { line: 1, problem: "name must be the name of a stock (got none)" },
      { line: 2, problem: 'must be an order as an object in JSON (got "{\\"number\\":1,\\"na")' },
    ]);
  });
});

describe("a file is refused", () => {
  test.each([
    [
      "that isn't a table of orders",
      "name,price,quantity\nA,1,1",
      /line 1: must name the columns number, name, type and/,
    ],
    ["that is not CSV", 'number,name,type,quantity\n1,"A,buy,1', /must be CSV \(Quote Not Closed/],
    ["that is not UTF-8", new Uint8Array([0x31, 0xff, 0xfe]), /must be text in UTF-8/],
    ["that has no line end", `{${"x".repeat(1_000_000)}`, /line 1: must be an order \(got more than 100000/],
  ])("%s", async (_case, content, message) => {
    await expect(read(content)).rejects.toThrow(message);
  });

  test("that isn't there", async () => {
    await expect(readOrderFile("/nowhere/orders.csv").next()).rejects.toThrow(
      /^\/nowhere\/orders\.csv: can't be read: /,
    );
  });
});
