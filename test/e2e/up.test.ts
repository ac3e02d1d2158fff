/** `npm start`: one command brings everything up, keeps it up, and takes it down again, however it is stopped. */

import { canListen } from "@stock-bazaar/cluster/ports";
import { eventually } from "@stock-bazaar/cluster/wait";
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
  for (const [index, url] of up.urls.entries()) {
    expect((await trade(url, newTrade({ type: "buy" }))).status).toBe(200);
    for (const asked of up.urls)
      expect(at((await lookUp(asked, "GameStart")).body, "data", "quantity")).toBe(99 - index);
  }
  expect(await up.service.stop("SIGINT")).toEqual({ code: 0, signal: null });
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
