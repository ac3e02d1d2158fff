/** `npm start`: one command brings everything up, keeps it up, and takes it down again, however it is stopped. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canListen, freePorts } from "@stock-bazaar/chaos/cluster/ports";
import { Service } from "@stock-bazaar/chaos/cluster/service";
import { eventually } from "@stock-bazaar/chaos/cluster/wait";
import { at, get, newTrade, trade } from "@stock-bazaar/client/requests";
import { type TestContext, expect, test } from "vitest";

interface Up {
  readonly service: Service;
  readonly url: string;
  readonly ports: readonly number[];
  /** The newest process id of every child. */
  readonly children: () => Map<string, number>;
}

async function startUp(context: TestContext): Promise<Up> {
  const dataDir = mkdtempSync(join(tmpdir(), "stock-bazaar-"));
  const ports = await freePorts(5);
  const [frontEnd, catalog, ...replicas] = ports;
  const service = new Service("up", "apps/cli/main.ts", {
    args: ["up"],
    environment: {
      DATA_DIR: dataDir,
      FRONTEND_PORT: String(frontEnd),
      CATALOG_PORT: String(catalog),
      ORDER_REPLICAS: replicas.map((port, index) => `${index + 1}=127.0.0.1:${port}`).join(),
      LOG_LEVEL: "debug",
    },
  });
  const children = () => {
    const pids = new Map<string, number>();
    for (const line of service.lines) {
      const match = /"child":"([^"]+)","pid":(\d+),"msg":"started"/.exec(line);
      if (match?.[1]) pids.set(match[1], Number(match[2]));
    }
    return pids;
  };
  context.onTestFailed(() => {
    process.stderr.write(`${service.lines.slice(-60).join("\n")}\n`);
  });
  context.onTestFinished(async () => {
    if (service.isRunning) await service.kill();
    for (const pid of children().values()) if (isAlive(pid)) process.kill(pid, "SIGKILL");
    rmSync(dataDir, { recursive: true, force: true });
  });
  service.start();
  const up = { service, url: `http://127.0.0.1:${frontEnd}`, ports, children };
  await eventually("the bazaar is open", () => service.lines.some((line) => line.includes("is open")));
  return up;
}

/** A process that has ended and that nobody has collected yet isn't alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, "utf8"));
}

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
