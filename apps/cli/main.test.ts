import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { countStocks } from "@stock-bazaar/db/seed";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { bazaar } from "../../test/support/command-line.ts";
import { makeTradedDatabases } from "../../test/support/traded-databases.ts";

// Each test starts processes, perhaps on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

let folder: string;
let dataDir: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bazaar-cli-"));
  dataDir = join(folder, "data");
});

afterEach(() => rmSync(folder, { recursive: true }));

function run(args: string[], environment: Record<string, string> = {}) {
  return bazaar(args, { cwd: folder, environment: { DATA_DIR: dataDir, ...environment } });
}

describe("migrate", () => {
  test("creates only the database of --replica", async () => {
    const made = await run(["migrate", "--replica", "2"]);
    expect(made).toMatchObject({ exitCode: 0, stdout: `${dataDir}/order-2.db: migrations applied: 2\n` });
    expect(existsSync(join(dataDir, "catalog.db"))).toBe(false);
    const wrong = await run(["migrate", "--replica", "4"]);
    expect(wrong.exitCode).toBe(2);
    expect(wrong.stderr).toContain('--replica must be one of 1, 2, 3, the ids in ORDER_REPLICAS (got "4")');
  });

  test("creates the databases of DATA_DIR and ORDER_REPLICAS, and changes nothing the second time", async () => {
    const environment = { ORDER_REPLICAS: "2=127.0.0.1:6002,5=127.0.0.1:6005" };
    const first = await run(["migrate"], environment);
    expect(first).toMatchObject({ exitCode: 0, stderr: "" });
    expect(first.stdout.split("\n")).toHaveLength(4);
    openOrderDatabase(dataDir, 2).close();
    openOrderDatabase(dataDir, 5).close();
    openCatalogDatabase(dataDir).close();

    const second = await run(["migrate"], environment);
    expect(second.exitCode).toBe(0);
    expect(second.stdout).toBe(
      ["catalog", "order-2", "order-5"].map((name) => `${dataDir}/${name}.db: up to date\n`).join(""),
    );
  });

  test("prints its result as JSON", async () => {
    const { stdout } = await run(["migrate", "--replica", "2", "--json"]);
    expect(JSON.parse(stdout)).toEqual([{ file: `${dataDir}/order-2.db`, migrations: 2 }]);
  });

  test("names DATA_DIR if the folder can't be created, and exits with 2", async () => {
    writeFileSync(join(folder, "file"), "");
    const { exitCode, stderr } = await run(["migrate"], { DATA_DIR: join(folder, "file", "data") });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /^DATA_DIR must be a folder that this user can create and write \(got "\S+file\/data"\): .+\n$/,
    );
  });

  test("names a file that it can't use, and exits with 1", async () => {
    mkdirSync(join(folder, "data", "catalog.db"), { recursive: true });
    const { exitCode, stderr } = await run(["migrate"]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^\S+catalog\.db must be a file that this user can read and write \(it is a folder\)\n$/);
  });
});

describe("seed", () => {
  test("fills a migrated catalog, accepts another file, and prints what it did", async () => {
    await run(["migrate"]);
    expect(await run(["seed"])).toMatchObject({
      exitCode: 0,
      stdout: `${dataDir}/catalog.db: stocks added: 10, kept as they were: 0\n`,
    });
    writeFileSync(join(folder, "my.csv"), "name,price,quantity\nTux,1.50,3\nFishCo,1,1\n");
    expect(await run(["seed", "--file", "my.csv"])).toMatchObject({
      exitCode: 0,
      stdout: `${dataDir}/catalog.db: stocks added: 1, kept as they were: 1\n`,
    });
    const again = await run(["seed", "--json"]);
    expect(JSON.parse(again.stdout)).toEqual({ file: `${dataDir}/catalog.db`, added: 0, kept: 10 });
    expect(await countStocks({ dataDir })).toBe(11);
  });

  test("prints the remedy for a missing database", async () => {
    expect(await run(["seed"])).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: `${dataDir}/catalog.db does not exist: run \`npm run migrate\`, then \`npm run seed\`\n`,
    });
  });

  test("names a database that another process writes to", async () => {
    await run(["migrate"]);
    const catalog = openCatalogDatabase(dataDir);
    catalog.client.exec("BEGIN IMMEDIATE");
    const locked = await run(["seed"]);
    catalog.close();
    expect(locked).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^\S+catalog\.db is locked by [^\n]+\n$/),
    });
  });

  test("reports every wrong value of a file, and exits with 1", async () => {
    await run(["migrate"]);
    writeFileSync(join(folder, "my.csv"), "name,price,quantity\nTux,1.505,3\nFishCo,1,many\n");
    const { exitCode, stderr } = await run(["seed", "--file", "my.csv"]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^my\.csv, line 2, column price: must be .* \(got "1\.505"\)\nmy\.csv, line 3, column quantity: must be .* \(got "many"\)\n$/,
    );
  });
});

describe("verify", () => {
  test("prints a line for each check, or all as JSON, and exits with 1 and the first difference if one is broken", async () => {
    await makeTradedDatabases(dataDir);
    const fine = await run(["verify"]);
    expect(fine).toMatchObject({ exitCode: 0, stderr: "" });
    expect(fine.stdout.split("\n")).toEqual([
      `I1 ok     ${dataDir}/catalog.db: the ledger explains the quantities of 10 stocks`,
      `I2 ok     ${dataDir}/catalog.db: the ledger's numbers are 1 to 12`,
      ...[1, 2, 3].map((id) => `I3 ok     ${dataDir}/order-${id}.db: 12 orders, as in the ledger row for row`),
      "",
    ]);

    const replica = openOrderDatabase(dataDir, 2);
    replica.client.exec("UPDATE orders SET quantity = quantity + 1 WHERE id = 3");
    replica.close();
    const broken = await run(["verify"]);
    expect(broken.exitCode).toBe(1);
    expect(broken.stdout.split("\n")[3]).toBe(
      `I3 BROKEN order 3, column quantity: ${dataDir}/order-2.db has 2, ${dataDir}/catalog.db has 1`,
    );
    const json = await run(["verify", "--json"]);
    expect(json.exitCode).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      checks: [
        { promise: "I1" },
        { promise: "I2" },
        { differences: [] },
        { differences: [expect.stringContaining("order 3")] },
        {},
      ],
    });
  });
});

test("verify reports a file that can't be read as UNREAD, not BROKEN", async () => {
  await makeTradedDatabases(dataDir);
  rmSync(join(dataDir, "order-2.db"));
  const { exitCode, stdout } = await run(["verify"]);
  expect(exitCode).toBe(1);
  expect(stdout.split("\n")[3]).toBe(`I3 UNREAD ${dataDir}/order-2.db does not exist: run \`npm run migrate\``);
});

describe("rebuild-catalog", () => {
  test("rebuilds a lost catalog, and prints what it did and what can't be restored", async () => {
    const environment = { CATALOG_PORT: String(freePort()) };
    await makeTradedDatabases(dataDir);
    rmSync(join(dataDir, "catalog.db"));
    const rebuilt = await run(["rebuild-catalog"], environment);
    expect(rebuilt).toMatchObject({ exitCode: 0, stderr: "" });
    expect(rebuilt.stdout).toContain(
      `${dataDir}/catalog.db: orders: 12, all of ${dataDir}/order-1.db, on the stocks of ${dataDir}/stocks.csv\n`,
    );
    expect(rebuilt.stdout).toContain("rejections of trades");
    expect(await run(["rebuild-catalog"], environment)).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: `${dataDir}/catalog.db exists and is correct: there is nothing to mend\n`,
    });
  });

  test("reports a wrong file first", async () => {
    await makeTradedDatabases(dataDir);
    const environment = { CATALOG_PORT: String(freePort()) };
    const { exitCode, stderr } = await run(["rebuild-catalog", "--file", "nowhere.csv"], environment);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^nowhere\.csv: can't be read: /);
  });

  test("leaves a running catalog alone", async () => {
    const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const { exitCode, stderr } = await run(["rebuild-catalog"], { CATALOG_PORT: String(server.port) });
    server.stop(true);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      `a catalog answers at 127.0.0.1:${server.port}: stop it first, preferably with all other services\n`,
    );
  });
});

describe("import", () => {
  let environment: Record<string, string>;
  beforeEach(() => {
    environment = { CATALOG_PORT: String(freePort()) };
    writeFileSync(join(folder, "stock_data.csv"), "GameStart,FishCo\n15.99,8.5\n9026.0,100.0\n5.0,3.0\n");
    writeFileSync(join(folder, "log_1.txt"), "1 - Stockname: GameStart Quantity: 5 Order: sell\n");
    writeFileSync(
      join(folder, "log_2.txt"),
      "2 - Stockname: FishCo  Quantity: 2  Order: buy\n1 - Stockname: GameStart Quantity: 5 Order: sell",
    );
  });

  const args = ["import", "--stocks", "stock_data.csv", "--orders", "log_1.txt"];
  const report = (did: string) => [
    `${dataDir}/catalog.db: ${did} stocks: 2, orders: 2, numbers 1 to 2`,
    "Lines that repeat another and were ignored: 1",
    "name       began with  has now  volume",
    "GameStart        9021     9026       5",
    "FishCo            102      100       2",
    "The volume of FishCo is 2, the sum of its orders; the file has 3",
  ];

  test("prints what it would do, does it, and refuses to do it again", async () => {
    const dry = await run([...args, "log_2.txt", "--dry-run"], environment);
    expect(dry).toEqual({
      exitCode: 0,
      stdout: [...report("would import"), "Nothing was written.", ""].join("\n"),
      stderr: "",
    });
    expect(existsSync(dataDir)).toBe(false);
    const done = await run([...args, "--orders", "log_2.txt"], environment);
    expect(done).toEqual({ exitCode: 0, stdout: [...report("imported"), ""].join("\n"), stderr: "" });
    expect((await run(["verify"])).exitCode).toBe(0);
    expect(await run([...args, "log_2.txt"], environment)).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: `${dataDir}/catalog.db holds 2 orders already; an import needs databases without orders: name another folder with DATA_DIR\n`,
    });
  });

  test("names a wrong line, and renumbers the orders with --renumber", async () => {
    const wrong = await run(
      ["import", "--stocks", "stock_data.csv", "--orders", "log_2.txt", "log_2.txt"],
      environment,
    );
    expect(wrong.exitCode).toBe(0);
    rmSync(dataDir, { recursive: true });
    writeFileSync(join(folder, "log_1.txt"), "0 - Stockname: GameStart Quantity: 5 Order: sell\n");
    expect(await run(args, environment)).toMatchObject({
      exitCode: 1,
      stderr:
        "log_1.txt, line 1: order numbers must start at 1 (got 0). `--renumber` gives all orders new numbers in this sequence and writes a table of old and new numbers\n",
    });
    const json = await run([...args, "--renumber", "--numbers", "new/table.csv", "--json"], environment);
    expect(JSON.parse(json.stdout)).toMatchObject({ orders: 1, numbersFile: "new/table.csv", stocks: [{}, {}] });
    expect(await Bun.file(join(folder, "new/table.csv")).text()).toBe(
      'old_number,new_number,file,line\n0,1,"log_1.txt",1\n',
    );
  });

  test("refuses to write the table of numbers over its files", async () => {
    const before = readFileSync(join(folder, "stock_data.csv"), "utf8");
    for (const file of ["stock_data.csv", "./log_1.txt", join(dataDir, "catalog.db")]) {
      const { exitCode, stderr } = await run([...args, "log_2.txt", "--renumber", "--numbers", file], environment);
      expect({ exitCode, stderr }).toEqual({
        exitCode: 2,
        stderr: expect.stringMatching(`^--numbers must be another file than .* \\(got "${file}"\\)`),
      });
    }
    expect(readFileSync(join(folder, "stock_data.csv"), "utf8")).toBe(before);
    expect(existsSync(join(dataDir, "catalog.db"))).toBe(false);
  });

  test("leaves a running catalog alone", async () => {
    const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const { exitCode, stderr } = await run(args, { CATALOG_PORT: String(server.port) });
    server.stop(true);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `a catalog answers at 127.0.0.1:${server.port}: stop it first, with all other services\n`,
    });
  });
});

describe("export", () => {
  test("writes to standard output, or to a file that it creates", async () => {
    await makeTradedDatabases(dataDir);
    const all = await run(["export", "--format", "csv"]);
    expect(all).toMatchObject({ exitCode: 0, stderr: "" });
    expect(all.stdout.trimEnd().split("\n")).toHaveLength(13);
    const file = join(folder, "new", "orders.ndjson");
    const some = await run(["export", "--format", "ndjson", "--after", "10", "--replica", "2", "--file", file]);
    expect(some).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    const lines = (await Bun.file(file).text()).trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { number: number }).number)).toEqual([11, 12]);
  });

  test("isn't written over a database", async () => {
    await makeTradedDatabases(dataDir);
    const file = join(dataDir, "catalog.db");
    const { exitCode, stderr } = await run(["export", "--format", "csv", "--file", file]);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: `--file must be another file than ${file}, which would be lost (got "${file}")\n`,
    });
    expect((await run(["verify"])).exitCode).toBe(0);
  });

  test("reports a file that could not be written completely", async () => {
    await makeTradedDatabases(dataDir);
    const { exitCode, stderr } = await run(["export", "--format", "csv", "--file", "/dev/full"]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^\/dev\/full could not be written completely: ENOSPC[^\n]*\n$/);
  });

  test("ends silently if its reader stops reading", async () => {
    await makeTradedDatabases(dataDir);
    const replica = openOrderDatabase(dataDir, 1);
    // Many more orders than fit into a pipe.
    replica.client.exec(
      "INSERT INTO orders WITH RECURSIVE n(i) AS (SELECT 13 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) SELECT i, 'k' || i, 'A', 'sell', 1, 1, 1, '' FROM n",
    );
    replica.close();
    const command = ["sh", "-c", '"$0" "$1" export --format csv | head -2'];
    const child = Bun.spawn([...command, process.execPath, join(import.meta.dirname, "main.ts")], {
      env: { PATH: process.env.PATH, DATA_DIR: dataDir },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    expect(stdout.split("\n").slice(0, 2)).toEqual([
      "number,name,type,quantity,price,created_at,key,term",
      expect.stringMatching(/^1,GameStart,sell,1,15\.99,/),
    ]);
    expect(stderr).toBe("");
  });

  test("names a missing database", async () => {
    expect(await run(["export", "--format", "csv"])).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: `${dataDir}/order-1.db does not exist: run \`npm run migrate\`\n`,
    });
  });
});

/** Returns a port that was free a moment ago. */
function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

describe("wrong usage", () => {
  test.each([
    ["no command", []],
    ["an unknown command", ["dance"]],
    ["an unknown option", ["seed", "--fast"]],
    ["an option of another command", ["rebuild-catalog", "--json"]],
    ["an argument too many", ["migrate", "now"]],
    ["no rounds", ["chaos", "--rounds", "0"]],
    ["a share above 1", ["client", "--p", "1.5"]],
    ["an unknown run type", ["client", "--type", "dance"]],
    ["an invalid host", ["status", "--host", "a b"]],
    ["a host with a port in it", ["status", "--host", "127.0.0.1:8080"]],
    ["a file without a name", ["seed", "--file", ""]],
    ["a stock without a name", ["lookup", ""]],
    ["a stock whose name can't be in a path", ["lookup", ".."]],
    ["a trade of a stock without a name", ["trade", "buy", "1", ""]],
    ["an option of the list with an order number", ["order", "1", "--limit", "2"]],
    ["no stock at all", ["client", "--stocks", ""]],
    ["an evaluation into a file", ["evaluate", "--out", import.meta.filename]],
    ["a campaign's figures in a folder that is a file", ["chaos", "--json", `${import.meta.filename}/x.json`]],
    ["a benchmark's figures into a folder", ["bench", "--json", "/tmp"]],
    ["a picture of experiments", ["bench", "--experiments", "kill", "--svg", "/tmp/bench.svg"]],
    ["--kills without an experiment", ["bench", "--kills", "5"]],
    ["rounds of an experiment that has none", ["bench", "--experiments", "kill", "--rounds", "5"]],
    ["a comparison with a folder that is no checkout", ["bench", "--against", "/tmp"]],
    ["a picture of pairs", ["bench", "--against", ".", "--svg", "/tmp/bench.svg"]],
    ["half a unit", ["trade", "buy", "0.5", "GameStart"]],
    ["neither buy nor sell", ["trade", "give", "1", "GameStart"]],
    ["a key that no header can carry", ["trade", "buy", "1", "GameStart", "--key", "ö"]],
    ["an order number below 1", ["order", "0"]],
    ["an unknown shell", ["completion", "tcsh"]],
    ["a cache that is neither on nor off", ["evaluate", "--cache", "half"]],
    ["an import without a file", ["import"]],
    ["a table of numbers without --renumber", ["import", "--stocks", "s.csv", "--numbers", "n.csv"]],
    ["a table of numbers into a folder", ["import", "--stocks", "s.csv", "--renumber", "--numbers", "/tmp"]],
    ["an export without a format", ["export"]],
    ["an export in an unknown format", ["export", "--format", "xml"]],
    ["an export after a negative number", ["export", "--format", "csv", "--after", "-1"]],
    ["an export into a folder", ["export", "--format", "csv", "--file", "/tmp"]],
    ["an unknown fault", ["chaos", "--only", "kill-leader,tickle"]],
    ["a copy of the ledger to nowhere", ["ledger", "copy"]],
    ["another action on the ledger", ["ledger", "move", "--to", "sqlite"]],
  ])("exits with 2: %s", async (_case, args) => {
    const { exitCode, stderr } = await run(args);
    expect(exitCode).toBe(2);
    expect(stderr).not.toContain("    at ");
  });

  test("includes a wrong environment, which is reported in one line", async () => {
    const commands = ["migrate", "seed", "up", "verify", "rebuild-catalog", "lookup"].map((command) => [command]);
    const more = [
      ["import", "--stocks", "s.csv"],
      ["export", "--format", "csv"],
    ];
    const runs = await Promise.all([...commands, ...more].map((args) => run(args, { FRONTEND_PORT: "eighty" })));
    for (const { exitCode, stderr } of runs) {
      expect(exitCode).toBe(2);
      expect(stderr).toBe('FRONTEND_PORT must be a whole number from 1 to 65535 (got "eighty")\n');
    }
  });

  test.each([[["dance"]], [["help", "dance"]]])(
    "names an unknown command, and how to list the commands: %j",
    async (args) => {
      const { exitCode, stdout, stderr } = await run(args);
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
      expect(stderr).toBe("error: unknown command 'dance'\n`bazaar --help` lists the commands.\n");
    },
  );

  test("never shows the password of a URL", async () => {
    const { exitCode, stderr } = await run(["ledger", "copy", "--to", "postgres://me:secret@host:99999/bazaar"]);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr:
        '--to must be sqlite, or a URL like postgres://user:password@host:5432/database (got "postgres://me@host:99999/bazaar")\n',
    });
    const unreadable = await run(["ledger", "copy", "--to", "postgres:/me:secret@host"]);
    expect(unreadable.stderr).toMatch(/^--to must be .*\(got "…"\)\n$/);
  });

  test("names the option or argument, what it must be, and its value", async () => {
    expect((await run(["trade", "buy", "0", "GameStart"])).stderr).toBe(
      'quantity must be a whole number from 1 to 2147483647 (got "0")\n',
    );
    expect((await run(["client", "--stocks", "GameStart,,FishCo"])).stderr).toBe(
      '--stocks must be a list of stocks, separated by commas (got "GameStart,,FishCo")\n',
    );
  });

  test("doesn't include --version, which prints the version of package.json", async () => {
    const manifest = (await Bun.file(join(import.meta.dirname, "../../package.json")).json()) as { version: string };
    expect(await run(["--version"])).toEqual({ exitCode: 0, stdout: `${manifest.version}\n`, stderr: "" });
  });

  test("doesn't include the help of a command", async () => {
    const { exitCode, stdout } = await run(["help", "trade"]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("bazaar trade buy 3 GameStart");
  });

  test("doesn't include --help", async () => {
    const { exitCode, stdout } = await run(["--help"]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("migrate");
  });
});

test("a reader that stops early causes no error: the output may go to `head`", async () => {
  const main = join(import.meta.dirname, "main.ts");
  // `true` ends long before the first line.
  const child = Bun.spawn(["sh", "-c", '"$0" "$1" --help | true', process.execPath, main], { stderr: "pipe" });
  expect(await child.stderr.text()).toBe("");
});
