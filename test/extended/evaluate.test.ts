/** `npm run evaluate` writes a whole result or none, and leaves no process behind, however it ends. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import type { EvaluationResult } from "@stock-bazaar/evaluation/evaluation";
import { at } from "@stock-bazaar/shared/json";
import { expect, onTestFinished, test, vi } from "vitest";
import { get } from "../support/requests.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startUp } from "../e2e/support/up.ts";

const files = ["README.md", "evaluation.json", "lookups.svg", "orders.svg", "throughput.svg", "trades.svg"];

/** Long, because the command starts ten processes first, perhaps while another test runs. */
const timeoutMs = 120_000;

interface Evaluation {
  readonly service: Service;
  readonly out: string;
  /** The folder of its bazaars' databases. */
  readonly temporary: string;
}

function start(...args: string[]): Evaluation {
  const folder = temporaryFolder();
  const [out, temporary] = [join(folder, "out"), join(folder, "tmp")];
  mkdirSync(temporary);
  const service = new Service("evaluate", "apps/cli/main.ts", {
    args: ["evaluate", "--out", out, "--clients", "2", "--p", "0,0.5", "--rounds", "1", "--warm-up", "0", ...args],
    environment: { TMPDIR: temporary },
    supervised: false,
  });
  onTestFinished(async () => {
    if (service.isRunning) await service.kill();
  });
  service.start();
  return { service, out, temporary };
}

vi.setConfig({ testTimeout: 2 * timeoutMs });

/** Returns the ids of the processes whose environment names the folder. */
function processesOf(folder: string): string[] {
  return readdirSync("/proc").filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return readFileSync(`/proc/${entry}/environ`, "utf8").includes(folder);
    } catch {
      return false;
    }
  });
}

const hasProc = existsSync("/proc/self/environ");

function measuring(service: Service): Promise<boolean> {
  return eventually("the first round is measured", () => service.lines.some((line) => line.startsWith("round 1/1")), {
    timeoutMs,
  });
}

test("writes tables, figures and plots, and leaves other files alone", async () => {
  const { service, out, temporary } = start("--requests", "20");
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "notes.md"), "mine");
  await eventually("it ends", () => !service.isRunning, { timeoutMs });
  expect(await service.ended()).toEqual({ code: 0, signal: null });
  expect(readdirSync(out).sort()).toEqual([...files, "notes.md"].sort());
  const result = JSON.parse(readFileSync(join(out, "evaluation.json"), "utf8")) as {
    points: { p: number; cache: string }[];
  };
  expect(result.points.map(({ p, cache }) => `${p} ${cache}`)).toEqual(["0 on", "0 off", "0.5 on", "0.5 off"]);
  expect(readFileSync(join(out, "README.md"), "utf8")).toMatch(/^\| 50% +\| off /m);
  expect(readFileSync(join(out, "README.md"), "utf8")).toContain("order p50");
  expect(readFileSync(join(out, "trades.svg"), "utf8")).toMatch(/^<svg[^]*<path[^]*<\/svg>\n$/);
  expect(readdirSync(temporary)).toEqual([]);
});

test("--url measures a running bazaar and starts no other", async (context) => {
  const { url } = await startUp(context);
  const { service, out, temporary } = start("--requests", "20", "--url", `${url}/`);
  await eventually("it ends", () => !service.isRunning, { timeoutMs });
  expect(await service.ended()).toEqual({ code: 0, signal: null });
  const result = JSON.parse(readFileSync(join(out, "evaluation.json"), "utf8")) as EvaluationResult;
  expect(result.points.map(({ p, cache }) => `${p} ${cache}`)).toEqual(["0 as it is", "0.5 as it is"]);
  const [untraded, traded] = result.points.map(({ measured }) => measured);
  expect(untraded).toMatchObject({ ordersFound: 0, orders: { count: 0 } });
  expect(traded?.ordersFound).toBeGreaterThan(0);
  expect(traded?.orders).toMatchObject({ count: traded?.ordersFound, p50Ms: expect.any(Number) });
  expect(at((await get(`${url}/cluster`)).body, "data", "catalog", "last_id")).toBe(traded?.ordersFound);
  expect(readdirSync(out).sort()).toEqual(files);
  expect(readdirSync(temporary)).toEqual([]);
});

test("--url of an address that doesn't answer exits with 3 and writes nothing", async () => {
  const [port] = await freePorts(1);
  const { service, out } = start("--url", `http://127.0.0.1:${port}`);
  await eventually("it ends", () => !service.isRunning, { timeoutMs });
  expect(await service.ended()).toEqual({ code: 3, signal: null });
  expect(service.lines.at(-2)).toContain(`no answer from http://127.0.0.1:${port}`);
  expect(existsSync(out)).toBe(false);
});

test.each([
  [
    ["--url", "bazaar.example"],
    '--url must be the address of a front-end, like http://bazaar.example:8080 (got "bazaar.example")',
  ],
  [["--url", "ftp://bazaar.example"], "--url must be the address of a front-end"],
  [["--url", "http://bazaar.example/stocks"], "--url must be the address of a front-end"],
  [["--url", "http://bazaar.example", "--cache", "on"], "cannot be used with option '--cache"],
])("%j is refused with exit code 2", async (args, message) => {
  const { service } = start(...args);
  await eventually("it ends", () => !service.isRunning, { timeoutMs });
  expect((await service.ended()).code).toBe(2);
  expect(service.lines.join("\n")).toContain(message);
});

/** An evaluation that runs until it is interrupted, with only one bazaar. */
const endless = ["--requests", "1000000", "--cache", "on"];

test("SIGTERM during a measurement leaves an older result unchanged", async () => {
  const { service, out, temporary } = start(...endless);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "evaluation.json"), "older");
  await measuring(service);
  if (hasProc) expect(processesOf(temporary).length).toBeGreaterThan(4);
  expect(await service.stop("SIGTERM")).toEqual({ code: 1, signal: null });
  expect(service.lines.at(-1)).toContain("stopped by SIGTERM: nothing was written");
  expect(readdirSync(out)).toEqual(["evaluation.json"]);
  expect(readFileSync(join(out, "evaluation.json"), "utf8")).toBe("older");
  expect(readdirSync(temporary)).toEqual([]);
  expect(hasProc ? processesOf(temporary) : []).toEqual([]);
});

test("a signal ends it also while its bazaars start", async () => {
  const { service, temporary } = start("--requests", "20");
  await eventually("a bazaar starts", () => readdirSync(temporary).length > 0, { timeoutMs });
  expect(await service.stop("SIGINT")).toEqual({ code: 1, signal: null });
  expect(readdirSync(temporary)).toEqual([]);
});

test("kill -9 leaves no process behind", async () => {
  const { service, out, temporary } = start(...endless);
  await measuring(service);
  await service.kill();
  await eventually("its processes have ended", () => !hasProc || processesOf(temporary).length === 0);
  expect(existsSync(out)).toBe(false);
});
