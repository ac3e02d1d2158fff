/** `npm start` with several catalogs on one ledger: what people see of them, in `status` and on the dashboard. */

import { freePorts } from "@stock-bazaar/cluster/ports";
import { eventually } from "@stock-bazaar/cluster/wait";
import { at } from "@stock-bazaar/shared/json";
import { expect, test } from "vitest";
import { bazaar } from "../support/command-line.ts";
import { newPostgresDatabase } from "../support/postgres.ts";
import { get, newTrade, trade } from "../support/requests.ts";
import { barriers, launchBrowser, openDashboard, screenshot } from "../e2e/support/browser.ts";
import { isAlive, startUp } from "../e2e/support/up.ts";

test("npm start runs both catalogs; the page shows them and kills the active one, the other takes over", async (context) => {
  const ports = await freePorts(2);
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  const environment = {
    LEDGER_URL: await newPostgresDatabase(),
    CATALOG_PORT: "",
    CATALOG_ADDRESSES: addresses.join(),
  };
  const up = await startUp(context, { environment });
  expect([...up.children().keys()].filter((name) => name.startsWith("catalog")).toSorted()).toEqual([
    "catalog",
    "catalog-2",
  ]);
  const states = async (): Promise<string[]> => {
    const catalogs = at((await get(`${up.url}/cluster`)).body, "data", "catalogs") as { state: string }[];
    return catalogs.map(({ state }) => state);
  };
  await eventually("one catalog stands by", async () => (await states()).toSorted().join() === "active,standby");
  expect((await get(`${up.url}/readyz`)).status).toBe(200);

  const active = (await states()).indexOf("active");
  const standby = 1 - active;
  const status = await bazaar(["status"], { environment: { FRONTEND_PORT: new URL(up.url).port } });
  expect(status).toMatchObject({ exitCode: 0 });
  expect(status.stdout).toMatch(new RegExp(`^catalog ${addresses[active]} +active$`, "m"));
  expect(status.stdout).toMatch(new RegExp(`^catalog ${addresses[standby]} +standby$`, "m"));

  const browser = await launchBrowser();
  context.onTestFinished(() => browser.close());
  const { page, complaints } = await openDashboard(context, browser, up.url, { colorScheme: "light" });
  const listed = (index: number, state: string) =>
    page
      .getByRole("list", { name: "Catalogs" })
      .getByRole("listitem")
      .filter({ hasText: `${index + 1}: ${addresses[index]} ${state}` })
      .waitFor();
  await listed(active, "active");
  await listed(standby, "standby");
  expect(await barriers(page)).toEqual([]);
  await screenshot(page, "dashboard-standby-catalog");

  await page.getByRole("button", { name: "Kill the catalog" }).click();
  await page.getByText(`Catalog ${active + 1} was killed`).waitFor();
  await listed(standby, "active");
  await page.getByText(`Catalog ${standby + 1} is active`).waitFor();
  expect((await trade(up.url, newTrade())).status).toBe(200);
  // The supervisor has started it again.
  await listed(active, "standby");
  expect(complaints).toEqual([]);

  // Any other death, too.
  const second = up.children().get("catalog-2") ?? 0;
  process.kill(second, "SIGKILL");
  await eventually("catalog-2 runs again", () => (up.children().get("catalog-2") ?? second) !== second);
  await eventually("one catalog stands by", async () => (await states()).toSorted().join() === "active,standby");
  expect(await up.service.stop()).toEqual({ code: 0, signal: null });
  expect([...up.children().values()].filter(isAlive)).toEqual([]);
});
