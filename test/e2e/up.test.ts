/** `npm start`: one command starts everything, restarts what fails, and stops everything, however it is stopped. */

import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canListen, freePorts, freePortsInARow } from "@stock-bazaar/cluster/ports";
import { root } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { at } from "@stock-bazaar/shared/json";
import { describe, expect, test } from "vitest";
import { bazaar } from "../support/command-line.ts";
import { get, lookUp, newTrade, trade } from "../support/requests.ts";
import { isOnPostgres } from "../support/tested-ledger.ts";
import type { TestHooks } from "./support/cluster.ts";
import { isAlive, startUp, type Up } from "./support/up.ts";

async function nothingLeft({ children, ports }: Pick<Up, "children" | "ports">): Promise<boolean> {
  const free = await Promise.all(ports.map(canListen));
  return free.every(Boolean) && [...children().values()].every((pid) => !isAlive(pid));
}

/** Sends `value` as JSON, as the clients of every dialect do. */
async function post(url: string, value?: object): Promise<[status: number, body: unknown]> {
  const json = { headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
  const response = await fetchDirectly(url, { method: "POST", ...(value && json) });
  return [response.status, await response.json()];
}

test("up starts everything without databases, restarts a killed child, and stops on SIGTERM with nothing left behind", async (context) => {
  const up = await startUp(context);
  expect([...up.children().keys()].sort()).toEqual(["catalog", "front-end", "order-1", "order-2", "order-3"]);
  expect((await get(`${up.url}/stocks/GameStart`)).body).toEqual({
    data: { name: "GameStart", price: 15.99, quantity: 100 },
  });
  expect(at((await get(`${up.url}/cluster`)).body, "data", "leader")).toBe(3);

  for (const child of ["order-3", "catalog"]) {
    const pid = up.children().get(child) ?? 0;
    process.kill(pid, "SIGKILL");
    expect((await trade(up.url, newTrade())).status).toBe(200);
    await eventually(`${child} runs again`, () => up.children().get(child) !== pid);
  }

  expect(await up.service.stop("SIGTERM")).toEqual({ code: 0, signal: null });
  expect(await nothingLeft(up)).toBe(true);
});

test("up with two front-ends: trades through one show in lookups through the other, and both end with it", async (context) => {
  const up = await startUp(context, { frontEnds: 2 });
  expect([...up.children().keys()]).toEqual(expect.arrayContaining(["front-end", "front-end-2"]));
  // Each logs its URL under its own name.
  const logged = (service: string, url = "") =>
    up.service.lines.some((line) => [`"service":"${service}"`, `"url":"${url}"`].every((part) => line.includes(part)));
  expect(logged("front-end", up.urls[0]) && logged("front-end-2", up.urls[1])).toBe(true);
  for (const [index, url] of up.urls.entries()) {
    expect((await trade(url, newTrade({ type: "buy" }))).status).toBe(200);
    for (const asked of up.urls)
      expect(at((await lookUp(asked, "GameStart")).body, "data", "quantity")).toBe(99 - index);
  }
  // A terminal that is closed sends SIGHUP.
  expect(await up.service.stop("SIGHUP")).toEqual({ code: 0, signal: null });
  expect(await nothingLeft(up)).toBe(true);
});

test("up whose front-ends listen on every address opens, and prints the address that others dial", async (context) => {
  // 192.0.2.0/24 is reserved for documentation, so this machine isn't reached there.
  const up = await startUp(context, {
    host: "192.0.2.1",
    listenHost: "0.0.0.0",
    frontEnds: 2,
    environment: { ALLOW_INSECURE: "1" },
  });
  const [, open = ""] = /open {7}(.*)/.exec(up.service.lines.join("\n")) ?? [];
  expect(open.trim().split(/ +/)).toEqual(up.urls.map((url) => url.replace("127.0.0.1", "192.0.2.1")));
  for (const url of up.urls) expect((await trade(url, newTrade())).status).toBe(200);
  expect(await up.service.stop("SIGTERM")).toEqual({ code: 0, signal: null });
  expect(await nothingLeft(up)).toBe(true);
});

test("up --dialect toy-store starts a front-end that replies as that system did", async (context) => {
  const up = await startUp(context, { args: ["--dialect", "toy-store"] });
  expect((await get(`${up.url}/readyz`)).status).toBe(200);
  expect((await get(`${up.url}/products/GameStart`)).body).toEqual({
    data: { name: "GameStart", price: 15.99, quantity: 100 },
  });
  expect((await lookUp(up.url, "GameStart")).status).toBe(501);
  // The command that the opening lines suggest must work in this dialect.
  const tried = up.service.lines.map((line) => /curl (\S+)$/.exec(line)?.[1]).find((url) => url !== undefined);
  expect(tried).toBe(`${up.url}/products/GameStart`);
  expect(await up.service.stop("SIGTERM")).toEqual({ code: 0, signal: null });
  expect(await nothingLeft(up)).toBe(true);
});

test("up --also: front-ends of three dialects, each with its own routes and texts, trade the same stock", async (context) => {
  const [streamingPort = 0, toyStorePort = 0] = await freePorts(2);
  const up = await startUp(context, { args: ["--also", `streaming=${streamingPort},toy-store=${toyStorePort}`] });
  const [streaming, toyStore] = [streamingPort, toyStorePort].map((port) => `http://127.0.0.1:${port}`);

  const wish = { name: "GameStart", quantity: 1 };
  const nothing = { name: "NoSuchStock", quantity: 1 };
  expect(await post(`${up.url}/orders`, { ...wish, type: "buy" })).toEqual([200, { data: { transaction_number: 1 } }]);
  expect(await post(`${streaming}/orders`, { ...wish, type: "BUY" })).toEqual([
    200,
    { data: { transaction_number: 2 } },
  ]);
  expect(await post(`${toyStore}/orders`, wish)).toEqual([200, { data: { order_number: 3 } }]);
  const refusals = [
    await post(`${up.url}/orders`, { ...nothing, type: "buy" }),
    await post(`${streaming}/orders`, { ...nothing, type: "BUY" }),
    await post(`${toyStore}/orders`, nothing),
  ];
  expect(refusals.map(([status, body]) => [status, at(body, "error", "message")])).toEqual([
    [404, "stock not found"],
    [200, "Stock not found"],
    [404, "product not found"],
  ]);

  const lookups = [
    `${up.url}/stocks/GameStart`,
    `${streaming}/stocks?stockname=GameStart`,
    `${toyStore}/products/GameStart`,
  ];
  for (const url of lookups) expect(at((await get(url)).body, "data", "quantity"), url).toBe(97);
  const orders = [
    (await get(`${up.url}/orders/3`)).body,
    (await get(`${streaming}/orders?order-number=3`)).body,
    (await post(`${toyStore}/orders/3`))[1],
  ];
  expect(orders).toEqual([
    { data: { number: 3, ...wish, type: "buy" } },
    { data: { number: 3, ...wish, type: "BUY" } },
    { data: { number: "3", ...wish } },
  ]);

  const dialectsBy = { [streamingPort]: "streaming", [toyStorePort]: "toy-store", [new URL(up.url).port]: "bazaar" };
  for (const url of [up.url, streaming, toyStore]) {
    const listed = at((await get(`${url}/cluster`)).body, "data", "front_ends") as { address: string }[];
    expect(listed).toHaveLength(3);
    for (const frontEnd of listed) {
      const { port } = new URL(`http://${frontEnd.address}`);
      expect(frontEnd).toMatchObject({ state: "live", dialect: dialectsBy[port] });
    }
  }
  const status = await bazaar(["status"], { environment: { FRONTEND_PORT: new URL(up.url).port } });
  expect(status.exitCode).toBe(0);
  expect(status.stdout).toMatch(new RegExp(`127\\.0\\.0\\.1:${streamingPort} .*speaks streaming`));
  expect(status.stdout).toMatch(new RegExp(`127\\.0\\.0\\.1:${toyStorePort} .*speaks toy-store`));

  const refused = await bazaar(["trade", "buy", "1", "GameStart", "--port", String(toyStorePort)]);
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain("must be one of bazaar, pyro (got toy-store): name another front-end with --port");

  expect(await up.service.stop("SIGTERM")).toEqual({ code: 0, signal: null });
  expect(await nothingLeft({ ...up, ports: [...up.ports, streamingPort, toyStorePort] })).toBe(true);
});

describe("before anything starts, up ends with 2 and one line", () => {
  const refusalOf = async (context: TestHooks, args: readonly string[], environment: Record<string, string>) => {
    const dataDir = mkdtempSync(join(tmpdir(), "stock-bazaar-"));
    context.onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const { exitCode, stderr } = await bazaar(["up", ...args], { environment: { DATA_DIR: dataDir, ...environment } });
    expect(readdirSync(dataDir)).toEqual([]);
    expect(exitCode).toBe(2);
    return stderr.trimEnd();
  };

  test("if --also and --front-ends name the same port", async (context) => {
    const [first = 0, second = 0] = await freePortsInARow(2);
    const args = ["--front-ends", "2", "--also", `streaming=${second}`];
    expect(await refusalOf(context, args, { FRONTEND_PORT: String(first) })).toBe(
      `--front-ends and --also both name 127.0.0.1:${second}: each needs its own port`,
    );
  });

  test("if several catalogs would share a file, a port or CATALOG_LISTEN", async (context) => {
    const [first = 0, second = 0] = await freePorts(2);
    const catalogs = `127.0.0.1:${first},127.0.0.1:${second}`;
    expect(await refusalOf(context, [], { CATALOG_ADDRESSES: catalogs })).toBe(
      `CATALOG_ADDRESSES must have one entry, unless LEDGER_URL names a ledger that several catalogs can share (got "${catalogs}")`,
    );
    const LEDGER_URL = "postgres://127.0.0.1:1/bazaar";
    const sharing = { LEDGER_URL, CATALOG_ADDRESSES: catalogs, CATALOG_LISTEN: `127.0.0.1:${first}` };
    expect(await refusalOf(context, [], sharing)).toBe(
      `CATALOG_LISTEN names 127.0.0.1:${first} twice: each process needs its own port`,
    );
    const catalogsElsewhere = `127.0.0.1:${first},192.0.2.1:${second}`;
    const elsewhere = { LEDGER_URL, CATALOG_ADDRESSES: catalogsElsewhere, ALLOW_INSECURE: "1" };
    expect(await refusalOf(context, [], elsewhere)).toBe(
      `CATALOG_ADDRESSES must have a host that is a name or an address of this machine, like 127.0.0.1 (got "192.0.2.1:${second}")`,
    );
  });

  test("if a setting is allowed for one dialect and not for another", async (context) => {
    const [first = 0, second = 0] = await freePorts(2);
    const environment = { FRONTEND_PORT: String(first), CACHE_LEASE_MS: "5000" };
    expect(await refusalOf(context, ["--also", `toy-store=${second}`], environment)).toBe(
      'CACHE_LEASE_MS must be at most half of REQUEST_TIMEOUT_MS, which is 4000 (got "5000")',
    );
  });
});

// It is the same wherever the ledger is.
test.skipIf(isOnPostgres)(
  "on an address that other machines can reach, killing the leader needs --faults",
  async (context) => {
    const kill = async (
      args: readonly string[],
      where: { host?: string; listenHost?: string } = { host: "0.0.0.0" },
    ) => {
      const up = await startUp(context, { ...where, args, environment: { ALLOW_INSECURE: "1" } });
      const { status } = await fetchDirectly(`${up.url}/faults/kill-leader`, { method: "POST" });
      await up.service.stop();
      return status;
    };
    expect(await kill([])).toBe(404);
    expect(await kill(["--faults"])).toBe(200);
    expect(await kill([], { host: "127.0.0.1", listenHost: "0.0.0.0" })).toBe(404);
    // As behind a proxy on this machine: others reach it at the address that they dial.
    expect(await kill([], { host: "bazaar.example", listenHost: "127.0.0.1" })).toBe(404);
  },
);

test("when up itself is killed -9, its children end too", async (context) => {
  const up = await startUp(context);
  await up.service.kill();
  expect(await eventually("no child is left", () => nothingLeft(up))).toBe(true);
});

test("Ctrl-C stops everything", async (context) => {
  const up = await startUp(context);
  expect(await up.service.stop("SIGINT")).toEqual({ code: 0, signal: null });
  expect(await nothingLeft(up)).toBe(true);
});

// This one, too.
test.skipIf(process.platform !== "linux" || isOnPostgres)(
  "up with its standard output on a full disk restarts killed children, and stops on SIGTERM",
  async (context) => {
    const dataDir = mkdtempSync(join(tmpdir(), "stock-bazaar-"));
    const [frontEnd, catalog, ...replicas] = await freePorts(5);
    const environment = {
      DATA_DIR: dataDir,
      FRONTEND_PORT: String(frontEnd),
      CATALOG_PORT: String(catalog),
      ORDER_REPLICAS: replicas.map((port, index) => `${index + 1}=127.0.0.1:${port}`).join(),
    };
    const full = openSync("/dev/full", "w");
    const stdio: ["ignore", number, "pipe"] = ["ignore", full, "pipe"];
    const env = { ...process.env, ...environment };
    const up = Bun.spawn([process.execPath, "apps/cli/main.ts", "up"], { cwd: root, env, stdio });
    closeSync(full);
    context.onTestFinished(async () => {
      up.kill("SIGKILL");
      await up.exited;
      rmSync(dataDir, { recursive: true, force: true });
    });
    const children = () => {
      const pids = readFileSync(`/proc/${up.pid}/task/${up.pid}/children`, "utf8").trim().split(" ");
      return pids.map(Number).filter(isAlive);
    };
    const url = `http://127.0.0.1:${frontEnd}`;
    const isOpen = async () => (await get(`${url}/readyz`)).status === 200;
    const isAsked = async () => (await (await fetchDirectly(`${url}/metrics`)).text()).includes('route="/cluster"');

    await eventually("the bazaar is open", isOpen);
    // Asking for the leader is the last step of `up` before it prints that the bazaar is open.
    await eventually("up asks for the leader", isAsked);
    const killed = children();
    expect(killed).toHaveLength(5);
    for (const pid of killed) process.kill(pid, "SIGKILL");
    await eventually("all run again", () => children().filter((pid) => !killed.includes(pid)).length === 5);
    await eventually("the bazaar is open again", isOpen);

    up.kill("SIGTERM");
    expect(await up.exited).toBe(0);
    expect(await new Response(up.stderr).text()).toBe("");
  },
);
