import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../test/support/temporary-folder.ts";
import { tradedCopies } from "../test/support/traded-copies.ts";
import { databasesIn } from "../test/support/traded-databases.ts";
import { type ExportFormat, formatOrders, openOrderSource } from "./export-orders.ts";
import { migrateFile } from "@stock-bazaar/sqlite/migrations";
import { catalogFile } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";

const traded = tradedCopies();

async function exported(
  dataDir: string,
  format: ExportFormat,
  { after = 0, replica }: { after?: number; replica?: number } = {},
) {
  const source = await openOrderSource(databasesIn(dataDir), replica);
  const text = (await Array.fromAsync(formatOrders(source.parts(after), format))).join("");
  source.close();
  return text;
}

const change = (dataDir: string, replica: number, sql: string) => {
  const database = openOrderDatabase(dataDir, replica);
  database.client.exec(sql);
  database.close();
};

describe("an export", () => {
  test("as CSV has a header, and quotes where CSV requires it", async () => {
    const dataDir = traded.copy();
    change(
      dataDir,
      2,
      `DELETE FROM orders WHERE id > 2; UPDATE orders SET name = 'Sons, "and"', key = 'a,b' WHERE id = 2`,
    );
    expect(await exported(dataDir, "csv", { replica: 2 })).toBe(
      [
        "number,name,type,quantity,price,created_at,key,term",
        "1,GameStart,sell,1,15.99,2026-01-01T00:00:00.000Z,key-0,3",
        '2,"Sons, ""and""",buy,1,8.50,2026-01-01T00:00:00.000Z,"a,b",3',
        "",
      ].join("\n"),
    );
  });

  test("as NDJSON has an object in each line", async () => {
    const lines = await exported(traded.original, "ndjson", { after: 11 });
    expect(lines.split("\n")).toHaveLength(2);
    expect(JSON.parse(lines)).toEqual({
      number: 12,
      name: "BoarCo",
      type: "restock",
      quantity: 50,
      price: 23.75,
      created_at: "2026-01-01T00:00:00.000Z",
      key: "restock 12 BoarCo",
      term: 3,
    });
  });

  test("after a number begins with the next one, and after the last number has no order", async () => {
    const numbers = async (after: number) =>
      (await exported(traded.original, "csv", { after }))
        .trimEnd()
        .split("\n")
        .slice(1)
        .map((line) => Number(line.split(",")[0]));
    expect(await numbers(9)).toEqual([10, 11, 12]);
    expect(await numbers(12)).toEqual([]);
    expect(await numbers(4711)).toEqual([]);
  });

  test("comes from the file with the most orders: a replica, or the ledger if it is longer than every replica", async () => {
    const dataDir = traded.copy();
    change(dataDir, 1, "DELETE FROM orders WHERE id > 4");
    writeFileSync(orderFile(dataDir, 3), "rubbish".repeat(1000));
    const fileOf = async () => {
      const source = await openOrderSource(databasesIn(dataDir));
      source.close();
      return source.file;
    };
    expect(await fileOf()).toBe(orderFile(dataDir, 2));
    change(dataDir, 2, "DELETE FROM orders");
    expect(await fileOf()).toBe(catalogFile(dataDir));
  });

  test("ends with the order that was the last when it began, even while a service adds more", async () => {
    const dataDir = traded.copy();
    const source = await openOrderSource(databasesIn(dataDir), 1);
    change(
      dataDir,
      1,
      "INSERT INTO orders SELECT 13, 'later', name, type, quantity, price_cents, term, created_at FROM orders WHERE id = 1",
    );
    expect((await Array.fromAsync(source.parts(0))).flat().map(({ id }) => id)).toEqual(
      Array.from({ length: 12 }, (_, index) => index + 1),
    );
    source.close();
  });

  test("reads more than one part", async () => {
    const dataDir = traded.copy();
    change(
      dataDir,
      1,
      "INSERT INTO orders WITH RECURSIVE n(i) AS (SELECT 13 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) SELECT i, 'k' || i, 'A', 'sell', 1, 1, 1, '' FROM n",
    );
    expect((await exported(dataDir, "ndjson", { replica: 1 })).trimEnd().split("\n")).toHaveLength(12_000);
  });

  test("without any order names the missing file", async () => {
    const dataDir = temporaryFolder();
    await expect(openOrderSource(databasesIn(dataDir))).rejects.toThrow(`${orderFile(dataDir, 1)} does not exist`);
    migrateFile(orderFile(dataDir, 2), "orders");
    expect(await exported(dataDir, "csv")).toBe("number,name,type,quantity,price,created_at,key,term\n");
    await expect(openOrderSource(databasesIn(dataDir), 3)).rejects.toThrow(`${orderFile(dataDir, 3)} does not exist`);
  });
});
