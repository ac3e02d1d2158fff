/** More stocks than fit in one message between two services, which may hold 16 MiB. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { seed } from "@stock-bazaar/db/seed";
import { formatStocks } from "@stock-bazaar/db/stock-file";
import { at } from "@stock-bazaar/shared/json";
import type { Browser } from "playwright-core";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EventReader } from "../http/support/event-reader.ts";
import { get, newTrade, trade } from "../support/requests.ts";
import { barriers, launchBrowser, openDashboard } from "./support/browser.ts";
import { Cluster } from "./support/cluster.ts";

/** Names of the greatest length: 25,000 of them take 19 MB, besides the ten stocks of every bazaar. */
const names = Array.from({ length: 25_000 }, (_, index) => String(index).padStart(6, "0").padEnd(255, "漢"));

let cluster: Cluster;
let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
Cluster.share(async (shared) => {
  cluster = shared;
  await addStocks(names);
});

/** Adds stocks while the bazaar runs, as `npm run seed` does. */
async function addStocks(added: readonly string[]): Promise<void> {
  const file = join(cluster.dataDir, "added.csv");
  writeFileSync(file, formatStocks(added.map((name) => ({ name, priceCents: 1599, quantity: 100 }))));
  expect((await seed(cluster.ledger, file)).added).toBe(added.length);
}

const namesIn = (body: unknown) => (at(body, "data") as { name: string }[]).map(({ name }) => name);

async function openEvents(query = ""): Promise<EventReader> {
  return new EventReader(await fetchDirectly(`${cluster.url}/events${query}`));
}

const pageIn = ({ data }: { data: unknown }) =>
  data as { complete: boolean; stocks: { name: string }[]; next?: string };

test("all stocks are listed, in one reply or in pages, and each can be looked up and traded", async () => {
  const { status, body } = await get(`${cluster.url}/stocks`);
  expect(status).toBe(200);
  expect(namesIn(body).slice(0, names.length)).toEqual(names);
  expect(namesIn(body)).toHaveLength(names.length + 10);

  const first = await get(`${cluster.url}/stocks?limit=3`);
  expect(namesIn(first.body)).toEqual(names.slice(0, 3));
  expect(at(first.body, "next")).toBe(names[2]);
  const second = await get(`${cluster.url}/stocks?limit=2&after=${encodeURIComponent(names[2] ?? "")}`);
  expect(namesIn(second.body)).toEqual(names.slice(3, 5));

  const name = names[20_000] ?? "";
  expect((await trade(cluster.url, newTrade({ name, type: "buy", quantity: 7 }))).status).toBe(200);
  const looked = await get(`${cluster.url}/stocks/${encodeURIComponent(name)}`);
  expect(at(looked.body, "data", "quantity")).toBe(93);
});

test("the events contain the stocks of the requested page, and the orders of all stocks", async () => {
  const events = await openEvents("?limit=5&from=Game");
  const page = pageIn(await events.nextOf("stocks"));
  expect(page).toMatchObject({ complete: true });
  expect(page.stocks[0]?.name).toBe("GameStart");
  await trade(cluster.url, newTrade({ name: names[3] ?? "", type: "buy" }));
  await events.nextOf("orders", ({ orders }: { orders: { name: string }[] }) =>
    orders.some(({ name }) => name === names[3]),
  );
  await events.close();
});

test("a stock that is seeded while the bazaar runs appears in the events without a trade", async () => {
  const events = await openEvents("?limit=5&from=Zebra");
  expect(pageIn(await events.nextOf("stocks")).stocks).toEqual([]);
  await addStocks(["ZebraCo"]);
  const { stocks } = pageIn(await events.nextOf("stocks"));
  expect(stocks).toEqual([{ name: "ZebraCo", price: 15.99, quantity: 100, volume: 0 }]);
  await events.close();
});

test("the dashboard shows a page, moves to the next, the previous and a name, and trades there", async (context) => {
  const { page, complaints } = await openDashboard(context, browser, cluster.url);
  const row = (name: string) => page.getByRole("row", { name: new RegExp(`^${name}`) });
  const previous = page.getByRole("button", { name: "Previous" });
  await row("000000").waitFor();
  await page.getByText(/^25,01\d stocks in all$/).waitFor();
  expect(await row("0").count()).toBe(100);
  expect(await previous.isDisabled()).toBe(true);
  await page.getByRole("button", { name: "Next" }).click();
  await row("000100").waitFor();
  await previous.click();
  await row("000000").waitFor();

  await page.getByLabel("Go to a name").fill("GameS");
  await page.getByRole("button", { name: "Go", exact: true }).click();
  await row("GameStart").getByText("100").waitFor();
  await page.getByRole("button", { name: "GameStart", exact: true }).click();
  await page.getByLabel("Quantity").fill("7");
  await page.getByRole("button", { name: "Place the order" }).click();
  await row("GameStart").getByText("93").waitFor();
  expect(await barriers(page)).toEqual([]);
  await previous.click();
  await row("000000").waitFor();
  expect(await page.getByLabel("Stock", { exact: true }).inputValue()).toBe("GameStart");
  expect(complaints).toEqual([]);
});
