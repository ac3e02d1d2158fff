/** `npm start`: one command brings everything up, keeps it up, and takes it down again, however it is stopped. */

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canListen, freePorts } from "@stock-bazaar/cluster/ports";
import { root } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { fetchDirectly } from "@stock-bazaar/shared/fetch-directly";
import { at } from "@stock-bazaar/shared/json";
import { expect, test } from "vitest";
import { get, lookUp, newTrade, trade } from "../support/requests.ts";
import { isAlive, startUp, type Up } from "./support/up.ts";

async function nothingLeft({ children, ports }: Up): Promise<boolean> {
  const free = await Promise.all(ports.map(canListen));
  return free.every(Boolean) && [...children().values()].every((pid) => !isAlive(pid));
}

test("up starts all from nothing, starts a killed child again, and stops on SIGTERM with nothing left behind", async (context) => {
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

test("up with two front-ends: what one trades the other tells, and both end with it", async (context) => {
  const up = await startUp(context, { frontEnds: 2 });
  expect([...up.children().keys()]).toEqual(expect.arrayContaining(["front-end", "front-end-2"]));
  // Each says by its own name where it listens.
  const said = (service: string, url = "") =>
    up.service.lines.some((line) => [`"service":"${service}"`, `"url":"${url}"`].every((part) => line.includes(part)));
  expect(said("front-end", up.urls[0]) && said("front-end-2", up.urls[1])).toBe(true);
  for (const [index, url] of up.urls.entries()) {
    expect((await trade(url, newTrade({ type: "buy" }))).status).toBe(200);
    for (const asked of up.urls)
      expect(at((await lookUp(asked, "GameStart")).body, "data", "quantity")).toBe(99 - index);
  }
  // As when the terminal is closed.
  expect(await up.service.stop("SIGHUP")).toEqual({ code: 0, signal: null });
  expect(await nothingLeft(up)).toBe(true);
});

test("on an address that others can reach, nobody may kill the leader unless that is asked for", async (context) => {
  const kill = async (args: readonly string[]) => {
    const up = await startUp(context, { host: "0.0.0.0", args });
    const { status } = await fetchDirectly(`${up.url}/faults/kill-leader`, { method: "POST" });
    await up.service.stop();
    return status;
  };
  expect(await kill([])).toBe(404);
  expect(await kill(["--faults"])).toBe(200);
});

test("when up itself is killed -9, its children end too", async (context) => {
  const up = await startUp(context);
  await up.service.kill();
  expect(await eventually("no child is left", () => nothingLeft(up))).toBe(true);
});

test("Ctrl-C stops everything as well", async (context) => {
  const up = await startUp(context);
  expect(await up.service.stop("SIGINT")).toEqual({ code: 0, signal: null });
  expect(await nothingLeft(up)).toBe(true);
});

test.skipIf(process.platform !== "linux")(
  "up with its standard output on a full disk starts what was killed again, and stops on SIGTERM",
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
    // The last thing that `up` does before it tells so.
    await eventually("up asks who leads", isAsked);
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
