/** The data of an earlier system is imported, traded on, and exported again. */

import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onServer } from "@stock-bazaar/chaos/faults/on-server";
import { loseLedger } from "@stock-bazaar/chaos/faults/stored-ledger";
import { orderNumber } from "@stock-bazaar/client/requests";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { chosenLedgerStore, type LedgerConfig } from "@stock-bazaar/ledger/chosen-store";
import { countStocks } from "@stock-bazaar/db/seed";
import { type TestContext, expect, onTestFinished, test } from "vitest";
import { bazaar } from "../support/command-line.ts";
import { get, newTrade, trade } from "../support/requests.ts";
import { takeLedger } from "../support/tested-ledger.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Ports and a data folder for one bazaar, without databases. */
interface Place {
  readonly url: string;
  readonly dataDir: string;
  readonly ledger: LedgerConfig;
  readonly environment: Readonly<Record<string, string>>;
  readonly run: (...args: string[]) => ReturnType<typeof bazaar>;
}

async function newPlace(): Promise<Place> {
  const dataDir = join(temporaryFolder(), "data");
  const [frontEnd, catalog, ...replicas] = await freePorts(5);
  const ledger = await takeLedger();
  onTestFinished(ledger.giveBack);
  const environment = {
    ...ledger.environment,
    DATA_DIR: dataDir,
    FRONTEND_PORT: String(frontEnd),
    CATALOG_PORT: String(catalog),
    ORDER_REPLICAS: replicas.map((port, index) => `${index + 1}=127.0.0.1:${port}`).join(),
  };
  return {
    url: `http://127.0.0.1:${frontEnd}`,
    dataDir,
    ledger: { dataDir, ledgerUrl: ledger.environment.LEDGER_URL },
    environment,
    run: (...args) => bazaar(args, { environment }),
  };
}

/** Starts the bazaar as `npm start` does. */
async function startUp(context: TestContext, { environment }: Place): Promise<Service> {
  const up = new Service("up", "apps/cli/main.ts", { args: ["up"], environment });
  context.onTestFailed(() => {
    process.stderr.write(`${up.lines.slice(-80).join("\n")}\n`);
  });
  context.onTestFinished(async () => {
    if (up.isRunning) await up.stop();
  });
  up.start();
  await eventually("the bazaar is open", () => up.lines.some((line) => line.includes("is open")));
  return up;
}

/** Writes files in the format of system 004: each of `count` orders sells or buys one unit of one of two stocks. */
function writeFiles(count: number): { readonly stocks: string; readonly orders: string } {
  const folder = temporaryFolder();
  const stocks = join(folder, "stocks.csv");
  const orders = join(folder, "orders.csv");
  writeFileSync(
    stocks,
    `name,price,quantity,trading_volume\nGameStart,15.99,${count},${count / 2}\nTux,2,5,${count / 2}\n`,
  );
  const lines = Array.from({ length: count }, (_, index) => {
    const isSale = index % 4 < 2;
    return `${index + 1},${index % 2 === 0 ? "GameStart" : "Tux"},${isSale ? "sell" : "buy"},1`;
  });
  writeFileSync(orders, `transaction_number,stock_name,order_type,trade_quantity\n${lines.join("\n")}`);
  return { stocks, orders };
}

const count = 20_000;

test("after an import, trades get the next order numbers, and the catalog can be rebuilt", async (context) => {
  const place = await newPlace();
  const { url, dataDir, ledger, run } = place;
  const { stocks, orders } = writeFiles(count);
  expect(await run("import", "--stocks", stocks, "--orders", orders)).toMatchObject({ exitCode: 0, stderr: "" });

  let up = await startUp(context, place);
  expect((await get(`${url}/orders/3`)).body).toEqual({
    data: { number: 3, name: "GameStart", type: "buy", quantity: 1 },
  });
  expect((await get(`${url}/orders/${count}`)).body).toMatchObject({ data: { number: count, name: "Tux" } });
  expect((await get(`${url}/stocks/Tux`)).body).toEqual({ data: { name: "Tux", price: 2, quantity: 5 } });
  const bought = await trade(url, newTrade({ name: "Tux", type: "buy", quantity: 5 }));
  expect(orderNumber(bought.body)).toBe(count + 1);
  expect((await get(`${url}/stocks/Tux`)).body).toMatchObject({ data: { quantity: 0 } });
  // If a client of the earlier system repeats an imported order's key, it gets the same outcome.
  const again = await trade(url, newTrade({ key: "import-1", name: "GameStart", type: "sell", quantity: 1 }));
  expect(orderNumber(again.body)).toBe(1);

  const refused = await run("import", "--stocks", stocks);
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("stop it first") });
  for (const replica of ["1", "2", "3"]) {
    const exported = await eventually(`replica ${replica} has all orders`, async () => {
      const { stdout } = await run("export", "--format", "ndjson", "--after", String(count - 1), "--replica", replica);
      const lines = stdout.trimEnd().split("\n");
      return lines.length === 2 && lines;
    });
    expect(exported.map((line) => (JSON.parse(line) as { number: number }).number)).toEqual([count, count + 1]);
  }
  expect(await run("verify")).toMatchObject({ exitCode: 0 });
  expect(await up.stop()).toEqual({ code: 0, signal: null });

  await loseLedger({ ledger, catalogFolder: dataDir });
  expect(await run("rebuild-catalog")).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await run("verify")).toMatchObject({ exitCode: 0 });
  up = await startUp(context, place);
  expect(orderNumber((await trade(url, newTrade({ name: "Tux" }))).body)).toBe(count + 2);
  expect((await get(`${url}/stocks/Tux`)).body).toMatchObject({ data: { quantity: 1 } });
  expect(await up.stop()).toEqual({ code: 0, signal: null });
  expect(await run("verify")).toMatchObject({ exitCode: 0 });

  // After a stop, its export can be imported elsewhere.
  const orderFile = join(dataDir, "orders.csv");
  expect(await run("export", "--format", "csv", "--file", orderFile)).toMatchObject({ exitCode: 0 });
  writeFileSync(stocks, `name,price,quantity\nGameStart,15.99,${count}\nTux,2,1\n`);
  const elsewhere = await newPlace();
  const imported = await elsewhere.run("import", "--stocks", stocks, "--orders", orderFile, "--json");
  expect(JSON.parse(imported.stdout)).toMatchObject({ orders: count + 2, equalLines: 0 });
  expect(readFileSync(join(elsewhere.dataDir, "stocks.csv"), "utf8")).toBe(
    readFileSync(join(dataDir, "stocks.csv"), "utf8"),
  );
});

test("an import that is killed has written all or nothing, and can be run again", async () => {
  const { dataDir, ledger, environment, run } = await newPlace();
  const store = chosenLedgerStore(ledger);
  const many = 100_000;
  const { stocks, orders } = writeFiles(many);
  const args = ["import", "--stocks", stocks, "--orders", orders];
  const { ledgerUrl } = ledger;
  /** What the import has written, perhaps without a commit. */
  const writtenBytes = () =>
    ledgerUrl === undefined
      ? (statSync(join(dataDir, "catalog.db-wal"), { throwIfNoEntry: false })?.size ?? 0)
      : onServer(ledgerUrl, async (connection) => {
          const { rows } = await connection.query<{ size: number }>({
            text: "SELECT pg_relation_size('ledger') AS size",
          });
          return rows[0]?.size ?? 0;
        });
  const points = {
    "it has locked the databases": () => existsSync(join(dataDir, "order-3.db-lock")),
    "it makes databases": async () => !(await store.isMissing()),
    "it writes": async () => (await writtenBytes()) > 0,
    "it has written half": async () => (await writtenBytes()) > 5_000_000,
  };
  for (const [point, isReached] of Object.entries(points)) {
    const killed = new Service("import", "apps/cli/main.ts", { args, environment });
    killed.start();
    await eventually(point, async () => !killed.isRunning || (await isReached()), { pollMs: 1 });
    if (killed.isRunning) await killed.kill();
    if (await store.isMissing()) continue;
    expect((await run("migrate")).exitCode).toBe(0);
    const head = await store.read((view) => view.lastId());
    const stocksNow = await countStocks(ledger);
    expect([0, many], point).toContain(head);
    expect(stocksNow, point).toBe(head === 0 ? 0 : 2);
    expect(existsSync(join(dataDir, "stocks.csv")), point).toBe(head > 0);
    expect((await run("verify")).exitCode, point).toBe(0);
    if (head === 0) continue;
    // The import had finished, so the next point begins with nothing.
    await loseLedger({ ledger, catalogFolder: dataDir });
    rmSync(dataDir, { recursive: true });
  }
  const last = await run(...args);
  if (last.exitCode !== 0) expect(last.stderr).toContain(`holds ${many} orders already`);
  expect((await run("verify")).exitCode).toBe(0);
});
