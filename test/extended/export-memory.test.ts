/** `bazaar export` streams: its memory doesn't grow with the size of the export. */

import { statSync } from "node:fs";
import { join } from "node:path";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { migrateFile } from "@stock-bazaar/sqlite/migrations";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("3,000,000 orders are exported without being held in memory", async () => {
  const dataDir = temporaryFolder();
  migrateFile(orderFile(dataDir, 1), "orders");
  const { client, close } = openOrderDatabase(dataDir, 1);
  client.exec(
    `INSERT INTO orders WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000)
     SELECT i, 'key-' || i, 'GameStart', 'sell', 1, 1599, 1, '2026-01-01T00:00:00.000Z' FROM n`,
  );
  close();
  const main = join(import.meta.dirname, "../../apps/cli/main.ts");
  const file = join(dataDir, "orders.csv");
  const measure = async (...args: string[]) => {
    const child = Bun.spawn([process.execPath, main, "export", "--format", "csv", ...args], {
      env: { PATH: process.env.PATH, DATA_DIR: dataDir },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let bytes = 0;
    for await (const part of child.stdout) bytes += part.length;
    expect(await child.exited).toBe(0);
    return { bytes, residentBytes: child.resourceUsage()?.maxRSS ?? 0 };
  };
  // Enough orders for buffers and heap to reach their usual size.
  const little = await measure("--after", "2000000");
  const all = await measure();
  expect(all.bytes).toBeGreaterThan(190_000_000);
  const intoFile = await measure("--file", file);
  expect(statSync(file).size).toBe(all.bytes);
  expect(little.residentBytes).toBeGreaterThan(10_000_000);
  for (const { residentBytes } of [all, intoFile])
    expect(residentBytes - little.residentBytes).toBeLessThan((all.bytes - little.bytes) / 2);
});
